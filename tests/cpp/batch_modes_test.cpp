// What a batch does with finished games (gymnasium's three autoreset modes), resets, frozen statistics, bad actions.
#include <doctest/doctest.h>

#include <numeric>
#include <stdexcept>

#include "support/test_batch.hpp"
#include "tasks/tasks.hpp"

namespace paymaster::test {
namespace {

constexpr int kGames = 4, kHorizon = 6;

GameConfig short_game() {
  GameConfig config = find_task("resource_collection").preset;
  config.horizon = kHorizon;
  return config;
}

BatchConfig mode(Autoreset autoreset) {
  return {.num_envs = kGames, .seed = 3, .num_threads = 1, .autoreset = autoreset};
}

}  // namespace

TEST_CASE("autoreset: the same episodes in all three modes") {
  const GameConfig config = short_game();
  TestBatch next(config, mode(Autoreset::next_step)), same(config, mode(Autoreset::same_step)),
      none(config, mode(Autoreset::disabled));
  OfferStream offers(1, config, kGames, 30);
  for (int episode = 0; episode < 3; ++episode) {
    CAPTURE(episode);
    for (int t = 0; t < kHorizon; ++t) {
      const Offers& now = offers.next();
      next.step(now);
      same.step(now);
      none.step(now);
      const bool last = t + 1 == kHorizon;
      REQUIRE(next.results().observation == none.results().observation);
      REQUIRE(next.results().reward == same.results().reward);
      REQUIRE(next.results().reward == none.results().reward);
      REQUIRE(next.results().gain == same.results().gain);  // of the finished episode, in each mode
      REQUIRE(next.results().terminated == same.results().terminated);
      REQUIRE(next.results().terminated[0] == last);
      REQUIRE((last ? same.results().final_observation : same.results().observation) == next.results().observation);
    }
    const Offers& ignored = offers.next();
    // A finished game without autoreset stays as it is.
    const Rows finished = none.results().observation;
    const double gain = none.results().gain[0];
    none.step(ignored);
    CHECK(none.results().observation == finished);
    CHECK(none.results().terminated[0]);
    CHECK(none.results().reward[0] == 0);
    CHECK(none.results().gain[0] == gain);
    none.reset();
    next.step(ignored);  // this step only resets
    CHECK_FALSE(next.results().terminated[0]);
    CHECK(next.results().gain[0] == 0);
    CHECK(next.results().observation == same.results().observation);
    CHECK(next.results().observation == none.results().observation);
  }
  CHECK(next.core().snapshot() == same.core().snapshot());  // the statistics too
  CHECK(next.core().snapshot() == none.core().snapshot());
}

TEST_CASE("reset: a mask chooses the games, seeds start all over") {
  const GameConfig config = short_game();
  TestBatch batch(config, mode(Autoreset::next_step));
  OfferStream offers(1, config, kGames, 30);
  for (int t = 0; t < 3; ++t) batch.step(offers.next());
  const Rows before = batch.results().observation;
  const bool mask[kGames] = {false, true, false, true};
  batch.reset(nullptr, mask);
  StateArrays state(batch.core());
  state.read(batch.core());
  for (int game = 0; game < kGames; ++game) {
    const bool kept = before.row(game, kGames) == batch.results().observation.row(game, kGames);
    CHECK(kept == !mask[game]);
    CHECK(*state.row<std::int32_t>("step", game) == (mask[game] ? 0 : 3));
    CHECK(*state.row<std::int64_t>("episode", game) == (mask[game] ? 1 : 0));
  }
  const std::uint64_t seeds[kGames] = {3, 3, 3, 3};
  batch.reset(seeds);
  CHECK(batch.results().observation == TestBatch(config, mode(Autoreset::next_step)).results().observation);
}

TEST_CASE("reset: the first one starts episode 0, which the batch shows already; later ones the next episode") {
  const GameConfig config = short_game();
  TestBatch batch(config, mode(Autoreset::next_step));
  StateArrays state(batch.core());
  const auto episode = [&] {
    state.read(batch.core());
    return *state.row<std::int64_t>("episode", 0);
  };
  const Rows shown = batch.results().observation;
  batch.reset();
  CHECK(batch.results().observation == shown);
  CHECK(episode() == 0);
  batch.reset();
  CHECK_FALSE(batch.results().observation == shown);
  CHECK(episode() == 1);
  const std::uint64_t seeds[kGames] = {1, 2, 3, 4};
  batch.reset(seeds);
  CHECK(episode() == 0);
  batch.reset();
  CHECK(episode() == 1);

  TestBatch played(config, mode(Autoreset::next_step));
  played.step(OfferStream(1, config, kGames, 30).next());
  played.reset();
  state.read(played.core());
  CHECK(*state.row<std::int64_t>("episode", 0) == 1);
}

TEST_CASE("statistics: frozen tables stay, cleared ones are empty, events are counted once") {
  const GameConfig config = short_game();
  TestBatch batch(config, mode(Autoreset::next_step));
  HistoryTable& table = batch.core().statistics();
  OfferStream offers(1, config, kGames, 30);
  const auto trials = [&] { return std::accumulate(table.acceptance_count.begin(), table.acceptance_count.end(), 0L); };
  batch.step(offers.next());
  const long first = trials();
  CHECK(first > 0);
  CHECK(first <= kGames * config.num_followers);
  for (int t = 1; t < kHorizon; ++t) batch.step(offers.next());
  const long played = trials();
  CHECK(played > first);
  batch.step(offers.next());  // only resets
  CHECK(trials() == played);
  table.frozen = true;
  for (int t = 0; t < kHorizon; ++t) batch.step(offers.next());
  CHECK(trials() == played);
  table.frozen = false;
  batch.step(offers.next());  // resets
  batch.step(offers.next());
  CHECK(trials() > played);
  table.clear();
  CHECK(trials() == 0);
}

TEST_CASE("step: an action out of range is refused before anything moves") {
  GameConfig config = short_game();
  for (const bool abstain : {false, true}) {
    config.abstain = abstain;
    TestBatch batch(config, mode(Autoreset::next_step));
    OfferStream offers(1, config, kGames, 30);
    batch.step(offers.next());
    const std::string before = batch.core().snapshot();
    const auto refused = [&](std::size_t at, int value) {
      Offers bad = offers.next();
      bad[at] = value;
      try {
        batch.step(bad);
      } catch (const std::invalid_argument& error) {
        return std::string(error.what());
      }
      return std::string("no error");
    };
    const std::string goals = abstain ? "[0, 4]" : "[0, 3]";
    const std::size_t last = kGames * 4 * 2 - 2;  // game 3, follower 3
    CHECK(refused(0, -1) == "actions: goal (game 0, follower 0): expected a value in " + goals + ", got -1");
    CHECK(refused(last, 5) == "actions: goal (game 3, follower 3): expected a value in " + goals + ", got 5");
    CHECK(refused(last + 1, 2) == "actions: bonus (game 3, follower 3): expected a value in [0, 1], got 2");
    CHECK(refused(9, INT32_MIN) == "actions: bonus (game 1, follower 0): expected a value in [0, 1], got -2147483648");
    CHECK(batch.core().snapshot() == before);
  }
}

}  // namespace paymaster::test
