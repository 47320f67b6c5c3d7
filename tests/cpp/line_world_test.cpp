// The worked example of a world. Nothing but its file knows it, and yet all of this works.
#include "line.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

#include "batch/world_kind.hpp"
#include "features/features.hpp"
#include "support/match.hpp"
#include "tasks/tasks.hpp"

namespace paymaster::test {
namespace {

constexpr int kFollowers = 3, kGoals = 2;

GameConfig corridor() {
  GameConfig config;
  config.set_world(kKind<LineWorld>);
  config.num_followers = kFollowers;
  config.num_goals = kGoals;
  config.skills_per_follower = 1;
  return config;
}

/// Everybody may do everything, prefers type 1 and gets nothing for it: whoever takes type 0 does so for the bonus.
std::vector<Traits> able() { return std::vector<Traits>(40, Traits{.skill = 3, .preference = 1, .reservation = 0}); }

}  // namespace

TEST_CASE("LineWorld: a follower walks to the goal it is paid for, and the contract is completed there") {
  const Population people(able());
  TestBatch batch(corridor(), {.num_threads = 1}, &people);
  StateArrays state(batch.core());
  state.read(batch.core());
  const std::int32_t cells[kFollowers] = {1, 9, 11}, goal_cells[kGoals] = {4, 0};
  std::copy_n(cells, kFollowers, state.row<std::int32_t>("cell", 0));
  std::copy_n(goal_cells, kGoals, state.row<std::int32_t>("goal_cell", 0));
  state.write(batch.core());
  batch.observe();
  CHECK(batch.observed("distance", 0)[0] == 2);
  CHECK(batch.observed("goal_cell", 0)[0] == 4);
  const Offers offers = {0, 1, 0, 0, 1, 0};  // the first one is three steps from its goal, the others are farther
  batch.step(offers);
  batch.step(offers);
  CHECK(batch.results().completed[0] == kNone);
  const Results& r = batch.step(offers);
  CHECK(batch.observed("cell", 0)[0] == 4);
  CHECK(r.completed[0] == 0);
  CHECK(r.payment[0] == 2);
  CHECK(r.reward[0] == 3 - 2);
  CHECK(batch.observed("available", 0)[0] == 0);
  CHECK(batch.observed("goal_cell", 0)[0] == kNone);
}

TEST_CASE("LineWorld: what a state may not hold") {
  TestBatch batch(corridor(), {.num_threads = 1});
  StateArrays state(batch.core());
  state.read(batch.core());
  *state.row<std::int32_t>("goal_cell", 0) = LineConfig{}.cells;
  CHECK_THROWS_WITH_AS(state.write(batch.core()), doctest::Contains("goal_cell: expected a value in [0, 11], got 12"),
                       std::invalid_argument);
}

TEST_CASE("LineWorld: features are those of any world, less the bodies") {
  const GameConfig config = corridor();
  TestBatch batch(config, {.num_threads = 1});
  batch.step({0, 0, 0, 1, 1, 0});
  const FeatureEncoder encoder(config);
  const auto f = static_cast<std::size_t>(encoder.follower_features()),
             d = static_cast<std::size_t>(encoder.goal_features());
  std::vector<float> follower(kFollowers * f, -1), goal(kFollowers * kGoals * d, -1);
  encoder.encode(batch.seen(), 1, batch.core().statistics(), {follower.data(), goal.data()});
  CHECK(f == 10 + LineWorld::kActions + kGoals);
  CHECK(d == 16 + 2 * 2);
  for (std::size_t k = 0; k < kFollowers; ++k) {
    const float* row = follower.data() + k * f;
    CHECK(row[0] == 1.0f / static_cast<float>(config.horizon));
    for (int i = 0; i < 4; ++i) CHECK(row[2 + LineWorld::kActions + i] == 0);
    for (std::size_t g = 0; g < kGoals; ++g) {
      const float left = batch.observed("available", 0)[g], distance = batch.observed("distance", 0)[k * kGoals + g];
      CHECK(row[10 + LineWorld::kActions + static_cast<int>(g)] == left);
      CHECK(goal[(k * kGoals + g) * d + 1] == (distance < 0 ? 0.0f : 10 / (10 + distance)));
    }
  }
}

TEST_CASE("LineWorld: random play keeps the rules of contracts and money, on 1, 2 and 4 threads") {
  for (const Autoreset mode : {Autoreset::next_step, Autoreset::same_step, Autoreset::disabled}) {
    for (const char* payment : {"completion", "advance", "advance_once"}) {
      for (const int followers : {1, 4, 16}) {
        CAPTURE(payment);
        CAPTURE(followers);
        GameConfig config;
        config.set_world(kKind<LineWorld>);
        config.num_followers = followers;
        config.payment = payment;
        config.noise = followers == 4 ? 0.3 : 0;
        Match match(config, {.num_envs = 40, .seed = 1, .num_threads = 1, .autoreset = mode}, {2, 4});
        for (int t = 0; t < 40; ++t) match.step();
        match.round_trip();
        match.finish();
      }
    }
  }
}

TEST_CASE("tasks of others stand behind the package's own, and one may be replaced") {
  const std::size_t own = tasks().size();
  add_task({"corridor", "a line", corridor()});
  const Task* const there = &find_task("corridor");
  CHECK(there == &tasks().back());
  add_task({"corridor", "another line", corridor()});
  CHECK(tasks().size() == own + 1);
  CHECK(there->meaning == "another line");
  CHECK_THROWS_WITH_AS(add_task({"navigation", "", corridor()}), doctest::Contains("none of the package's own"),
                       std::invalid_argument);
  CHECK_THROWS_AS(add_task({"", "", corridor()}), std::invalid_argument);
}

}  // namespace paymaster::test
