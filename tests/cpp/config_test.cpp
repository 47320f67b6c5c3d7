// Tasks by name, and the parameters that are refused.
#include "game/config.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>

#include "batch/batch.hpp"
#include "tasks/tasks.hpp"
#include "worlds/grid/config.hpp"

namespace paymaster {

TEST_CASE("tasks: found by name, else the error lists them") {
  std::string names;
  for (const Task& task : tasks()) {
    CAPTURE(task.name);
    CHECK_NOTHROW(task.preset.validate());
    CHECK_FALSE(task.meaning.empty());
    CHECK(find_task(task.name).name == task.name);
    names += (names.empty() ? "" : ", ") + task.name;
  }
  const std::string error = "task: expected one of " + names + ", got 'chess'";
  CHECK_THROWS_WITH_AS(find_task("chess"), error.c_str(), std::invalid_argument);
}

TEST_CASE("tasks: the presets of resource collection differ as tasks.md says") {
  for (const bool multi : {false, true}) {
    for (const bool one_skill : {false, true}) {
      const std::string name =
          std::string(multi ? "multi_bonus_" : "") + "resource_collection" + (one_skill ? "_one_skill" : "");
      CAPTURE(name);
      const GameConfig& preset = find_task(name).preset;
      CHECK(preset.num_bonuses == (multi ? 4 : 2));
      CHECK(preset.max_reservation == (multi ? 3 : 1));
      CHECK(preset.payment_rule() == (multi ? Payment::advance : Payment::completion));
      CHECK(preset.reward_of(1) == (multi ? 5 : 3));  // w = min(K + 1, 5)
      CHECK(preset.skills_per_follower == (one_skill ? 1 : 3));
      CHECK(preset.preference_among_skills == !one_skill);
    }
  }
}

TEST_CASE("GameConfig: w is given, of all goal types or of each, or min(K + 1, 5)") {
  GameConfig config;
  config.num_bonuses = 1;
  CHECK(config.reward_of(0) == 2);
  config.num_bonuses = 3;
  CHECK(config.reward_of(0) == 4);
  config.num_bonuses = 16;
  CHECK(config.reward_of(0) == 5);
  config.goal_reward = {2.5};
  CHECK(config.reward_of(3) == 2.5);
  config.goal_reward = {2.5, 0, 1, 7};
  CHECK(config.reward_of(1) == 0);
  CHECK(config.reward_of(3) == 7);
}

TEST_CASE("GameConfig: prices are given, or 1 to K") {
  GameConfig config;
  CHECK(config.price_of(1) == 2);
  config.prices = {0, 0.75};
  CHECK(config.price_of(0) == 0);
  CHECK(config.price_of(1) == 0.75);
}

TEST_CASE("GameConfig: what is refused, and that the error begins with the parameter's name") {
  struct Case {
    const char* parameter;
    std::function<void(GameConfig&)> spoil;
  };
  const Case cases[] = {
      {"num_followers", [](GameConfig& c) { c.num_followers = 0; }},
      {"num_followers", [](GameConfig& c) { c.num_followers = 17; }},
      {"num_followers", [](GameConfig& c) { c.population_size = 3; }},
      {"num_goals", [](GameConfig& c) { c.num_goals = 9; }},
      {"num_bonuses", [](GameConfig& c) { c.num_bonuses = 65; }},
      {"horizon", [](GameConfig& c) { c.horizon = 0; }},
      {"payment", [](GameConfig& c) { c.payment = "later"; }},
      {"noise", [](GameConfig& c) { c.noise = 1.5; }},
      {"noise", [](GameConfig& c) { c.noise = std::numeric_limits<double>::quiet_NaN(); }},
      {"goal_reward", [](GameConfig& c) { c.goal_reward = {-1}; }},
      {"goal_reward", [](GameConfig& c) { c.goal_reward = {1, 2, 3}; }},
      {"goal_reward", [](GameConfig& c) { c.goal_reward = {}; }},
      {"goal_reward[3]", [](GameConfig& c) { c.goal_reward = {1, 2, 3, 1e7}; }},
      {"prices", [](GameConfig& c) { c.prices = {1}; }},
      {"prices", [](GameConfig& c) { c.prices = {1, 2, 3}; }},
      {"prices[0]", [](GameConfig& c) { c.prices = {-0.5, 1}; }},
      {"prices[1]", [](GameConfig& c) { c.prices = {1, 1}; }},
      {"prices[1]", [](GameConfig& c) { c.prices = {1, 1 + 1e-12}; }},
      {"budget", [](GameConfig& c) { c.budget = -1; }},
      {"budget", [](GameConfig& c) { c.budget = std::numeric_limits<double>::quiet_NaN(); }},
      {"max_share", [](GameConfig& c) { c.max_share = -0.1; }},
      {"opening_sum", [](GameConfig& c) { c.opening_sum = 5; }},
      {"opening_sum", [](GameConfig& c) { c.max_share = 1, c.opening_sum = 5; }},      // nothing is paid in advance
      {"opening_sum", [](GameConfig& c) { c.payment = "advance", c.max_share = 1; }},  // nothing can be paid at first
      {"opening_sum",
       [](GameConfig& c) { c.payment = "advance_once", c.max_share = 1, c.prices = {2, 3}, c.opening_sum = 1.5; }},
      {"weight_gain", [](GameConfig& c) { c.weight_gain = -1; }},
      {"weight_gain", [](GameConfig& c) { c.weight_gain = 0; }},    // every reward would be 0
      {"equality", [](GameConfig& c) { c.equality = "poorest"; }},  // of no weight
      {"equality", [](GameConfig& c) { c.equality = "theil"; }},
      {"effort_cost", [](GameConfig& c) { c.effort_cost = -1; }},
      {"population_size", [](GameConfig& c) { c.population_size = 65536; }},
      {"population_seed", [](GameConfig& c) { c.population_seed = -1; }},
      {"skills_per_follower", [](GameConfig& c) { c.skills_per_follower = 5; }},
      {"max_reservation", [](GameConfig& c) { c.max_reservation = 0; }},
      {"num_resources", [](GameConfig& c) { c.own<GridConfig>().num_resources = 65; }},
      {"map", [](GameConfig& c) { c.own<GridConfig>().map = "####\n#..#\n####"; }},  // no room for all
      {"map", [](GameConfig& c) { c.own<GridConfig>().map = "#"; }},
  };
  for (const Case& c : cases) {
    CAPTURE(c.parameter);
    GameConfig config = find_task("resource_collection").preset;
    c.spoil(config);
    std::string message = "no error";
    try {
      make_batch(config, BatchConfig{}, nullptr);
    } catch (const std::invalid_argument& error) {
      message = error.what();
    }
    CAPTURE(message);
    CHECK(message.rfind(c.parameter + std::string(": expected "), 0) == 0);
  }
}

TEST_CASE("GameConfig: a copy's own parameters are its own") {
  const GameConfig& preset = find_task("resource_collection").preset;
  GameConfig copy = preset;
  copy.own<GridConfig>().num_resources = 3;
  CHECK(preset.own<GridConfig>().num_resources == 10);
  const GameConfig again = copy;
  copy = preset;
  CHECK(copy.own<GridConfig>().num_resources == 10);
  CHECK(again.own<GridConfig>().num_resources == 3);
  CHECK_THROWS_AS(find_task("navigation").preset.own<GridConfig>(), std::bad_cast);
}

TEST_CASE("make_batch: what is refused of a batch") {
  const GameConfig& game = find_task("resource_collection").preset;
  const auto with = [](auto spoil) {
    BatchConfig batch;
    spoil(batch);
    return batch;
  };
  CHECK_THROWS_AS(make_batch(game, with([](BatchConfig& b) { b.num_envs = 0; }), nullptr), std::invalid_argument);
  CHECK_THROWS_AS(make_batch(game, with([](BatchConfig& b) { b.num_threads = -1; }), nullptr), std::invalid_argument);
  CHECK_THROWS_AS(make_batch(game, with([](BatchConfig& b) { b.first_index = -1; }), nullptr), std::invalid_argument);
}

TEST_CASE("a game with exactly as many cells as bodies") {
  GameConfig config = find_task("resource_collection").preset;
  config.own<GridConfig>().map = "####\n#..#\n####";
  config.num_followers = 1;
  config.own<GridConfig>().num_resources = 1;
  CHECK(make_batch(config, BatchConfig{}, nullptr) != nullptr);
}

}  // namespace paymaster
