// Reading and setting the state: exact both ways, and a state that breaks a rule changes nothing.
#include <doctest/doctest.h>

#include <functional>
#include <limits>
#include <stdexcept>

#include "support/maps.hpp"
#include "support/test_batch.hpp"
#include "tasks/tasks.hpp"

namespace paymaster::test {
namespace {

using I = std::int32_t;

constexpr int kGames = 3;

GameConfig rooms() {
  GameConfig config = find_task("multi_bonus_resource_collection").preset;
  config.own<GridConfig>().map = kRooms;
  return config;
}

/// A batch some steps into its episodes.
TestBatch played(const GameConfig& config, std::uint64_t seed, int steps) {
  TestBatch batch(config, {.num_envs = kGames, .seed = seed, .num_threads = 1});
  batch.reset();  // setting the state counts as having begun
  OfferStream offers(seed, config, kGames, 10);
  for (int t = 0; t < steps; ++t) batch.step(offers.next());
  return batch;
}

std::string error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("set_state(get_state()) changes nothing, at any time") {
  const GameConfig config = rooms();
  for (int steps = 0; steps <= 33; ++steps) {
    CAPTURE(steps);
    TestBatch batch = played(config, 6, steps);
    const std::string before = batch.core().snapshot();
    StateArrays state(batch.core());
    state.read(batch.core());
    REQUIRE_NOTHROW(state.write(batch.core()));
    REQUIRE(batch.core().snapshot() == before);
    for (const FieldInfo& field : state.fields()) {
      CAPTURE(field.name);
      REQUIRE_NOTHROW(state.write(batch.core(), {field.name}));
      REQUIRE(batch.core().snapshot() == before);
    }
  }
}

TEST_CASE("a state set into a fresh batch plays on like the one it was read from") {
  const GameConfig config = rooms();
  TestBatch source = played(config, 6, 17), copy(config, {.num_envs = kGames, .seed = 6, .num_threads = 1});
  StateArrays state(source.core());
  state.read(source.core());
  state.write(copy.core());
  OfferStream offers(3, config, kGames, 10);
  for (int t = 0; t < 13; ++t) {
    const Offers& now = offers.next();
    source.step(now);
    copy.step(now);
    // Totals of the episode are no part of the state: the copy's begin where it was set.
    REQUIRE(copy.results().observation == source.results().observation);
    REQUIRE(copy.results().reward == source.results().reward);
    REQUIRE(copy.results().terminated == source.results().terminated);
  }
}

TEST_CASE("set_state: derived parts follow, `done` among them") {
  const GameConfig config = rooms();
  TestBatch batch = played(config, 6, 2);
  StateArrays state(batch.core());
  state.read(batch.core());
  *state.row<I>("step", 1) = config.horizon;
  for (int i = 0; i < config.own<GridConfig>().num_resources; ++i) state.row<bool>("resource_present", 2)[i] = false;
  state.write(batch.core(), {"step", "resource_present"});
  state.read(batch.core());
  CHECK_FALSE(*state.row<bool>("done", 0));
  CHECK(*state.row<bool>("done", 1));
  CHECK(*state.row<bool>("done", 2));
  Rows observation(batch.core());
  batch.core().observe(observation.pointers());
  CHECK_FALSE(observation == batch.results().observation);
}

TEST_CASE("set_state: a state that breaks a rule is refused by name, and nothing changes") {
  struct Case {
    const char* begins;  // of the error
    std::function<void(StateArrays&)> spoil;
  };
  constexpr int last = kGames - 1;
  const Case cases[] = {
      {"position: expected a free cell", [](StateArrays& s) { s.row<I>("position", last)[0] = 0; }},
      {"position: expected a value in [0, 10]", [](StateArrays& s) { s.row<I>("position", last)[1] = 11; }},
      {"position: expected a value in [0, 10]", [](StateArrays& s) { s.row<I>("position", last)[1] = -1; }},
      {"position: expected a free cell",
       [](StateArrays& s) {
         for (int axis = 0; axis < 2; ++axis) s.row<I>("position", last)[axis] = s.row<I>("position", last)[2 + axis];
       }},
      {"position: expected a free cell",
       [](StateArrays& s) {
         s.row<bool>("resource_present", last)[0] = true;
         for (int axis = 0; axis < 2; ++axis)
           s.row<I>("position", last)[axis] = s.row<I>("resource_position", last)[axis];
       }},
      {"resource_position: expected a free cell",
       [](StateArrays& s) {
         for (int i = 0; i < 2; ++i) s.row<bool>("resource_present", last)[i] = true;
         for (int axis = 0; axis < 2; ++axis)
           s.row<I>("resource_position", last)[axis] = s.row<I>("resource_position", last)[2 + axis];
       }},
      {"heading: expected a value in [0, 3]", [](StateArrays& s) { s.row<I>("heading", last)[3] = 4; }},
      {"identity: expected a value in [0, 39]", [](StateArrays& s) { s.row<I>("identity", last)[3] = 40; }},
      {"identity (follower 3): expected different followers",
       [](StateArrays& s) { s.row<I>("identity", last)[3] = s.row<I>("identity", last)[1]; }},
      {"preference: expected a value in [0, 3]", [](StateArrays& s) { s.row<I>("preference", last)[0] = 4; }},
      {"reservation: expected", [](StateArrays& s) { s.row<float>("reservation", last)[0] = -1; }},
      {"reservation: expected",
       [](StateArrays& s) { s.row<float>("reservation", last)[0] = std::numeric_limits<float>::quiet_NaN(); }},
      {"offer (follower 0): expected goal and bonus both given",
       [](StateArrays& s) { s.row<I>("offer", last)[0] = -1; }},
      {"offer goal: expected a value in [-1, 3]", [](StateArrays& s) { s.row<I>("offer", last)[0] = 4; }},
      {"offer bonus: expected a value in [-1, 3]", [](StateArrays& s) { s.row<I>("offer", last)[1] = 4; }},
      {"action: expected a value in [-1, 4]", [](StateArrays& s) { s.row<I>("action", last)[1] = 5; }},
      {"completed: expected a value in [-1, 3]", [](StateArrays& s) { s.row<I>("completed", last)[1] = -2; }},
      {"contract_age: expected a value in [0, 30]", [](StateArrays& s) { s.row<I>("contract_age", last)[1] = 31; }},
      {"contract_age (follower 1): expected",
       [](StateArrays& s) {
         s.row<bool>("contract_running", last)[1] = s.row<bool>("committed", last)[1] = true;
         s.row<I>("contract_age", last)[1] = 6;  // the episode is only five steps old
       }},
      {"contract_running (follower 2): expected false when not committed",
       [](StateArrays& s) {
         s.row<bool>("contract_running", last)[2] = true;
         s.row<bool>("committed", last)[2] = false;
       }},
      {"dropped (follower 1): expected false without an offer, and when committed",
       [](StateArrays& s) { s.row<bool>("dropped", last)[1] = s.row<bool>("committed", last)[1] = true; }},
      {"step: expected a value in [0, 30]", [](StateArrays& s) { *s.row<I>("step", last) = 31; }},
      {"episode: expected a value in", [](StateArrays& s) { *s.row<std::int64_t>("episode", last) = -1; }},
      {"done: expected false", [](StateArrays& s) { *s.row<bool>("done", last) = true; }},
      {"done: expected true", [](StateArrays& s) { *s.row<I>("step", last) = 30; }},
      {"resource_type: expected a value in [0, 3]", [](StateArrays& s) { s.row<I>("resource_type", last)[0] = -1; }},
      {"resource_claimant: expected a value in [-1, 3]",
       [](StateArrays& s) { s.row<I>("resource_claimant", last)[0] = 4; }},
  };
  TestBatch batch = played(rooms(), 6, 5);
  const std::string before = batch.core().snapshot();
  for (const Case& c : cases) {
    CAPTURE(c.begins);
    StateArrays state(batch.core());
    state.read(batch.core());
    *state.row<I>("heading", 0) ^= 1;  // a legal change that must not be made either
    c.spoil(state);
    const std::string error = error_of([&] { state.write(batch.core()); });
    CHECK(error.rfind(c.begins, 0) == 0);
    CHECK(error.find("(in game 2)") != std::string::npos);
    CHECK(batch.core().snapshot() == before);
  }
}

}  // namespace paymaster::test
