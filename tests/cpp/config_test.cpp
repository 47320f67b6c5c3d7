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
      CHECK(preset.reward_of_goal() == (multi ? 5 : 3));  // w = min(K + 1, 5)
      CHECK(preset.skills_per_follower == (one_skill ? 1 : 3));
      CHECK(preset.preference_among_skills == !one_skill);
    }
  }
}

TEST_CASE("GameConfig: w is given, or min(K + 1, 5)") {
  GameConfig config;
  config.num_bonuses = 1;
  CHECK(config.reward_of_goal() == 2);
  config.num_bonuses = 16;
  CHECK(config.reward_of_goal() == 5);
  config.goal_reward = 2.5;
  CHECK(config.reward_of_goal() == 2.5f);
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
      {"goal_reward", [](GameConfig& c) { c.goal_reward = -1; }},
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
