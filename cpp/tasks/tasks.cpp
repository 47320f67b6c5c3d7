// The one table: task name -> preset of parameters and the world that plays it. No other file knows all of the package's
// worlds.
#include "tasks/tasks.hpp"

#include <algorithm>

#include "batch/world_kind.hpp"
#include "game/check.hpp"
#include "worlds/grid/crafting.hpp"
#include "worlds/grid/grid.hpp"
#include "worlds/particles/navigation.hpp"
#include "worlds/particles/predator_prey.hpp"

namespace paymaster {
namespace {

GameConfig preset(const WorldKind& world, int num_bonuses, const char* payment, int max_reservation, bool one_skill) {
  GameConfig config;
  config.set_world(world);
  config.num_bonuses = num_bonuses;
  config.payment = payment;
  config.max_reservation = max_reservation;
  config.skills_per_follower = one_skill ? 1 : 3;
  config.preference_among_skills = !one_skill;
  return config;
}

/// Bonuses, reservations and skills as in resource_collection; the longer episode is ours.
GameConfig particle_preset(const WorldKind& world, const ParticleConfig& particles) {
  GameConfig config = preset(world, 2, "advance", 1, false);
  config.horizon = 50;
  config.own<ParticleConfig>() = particles;
  return config;
}

/// Level 0 pays nothing: "no employment". A top-level item is worth 10, all else nothing (M3RL).
GameConfig crafting_preset(int num_bonuses) {
  GameConfig config = preset(kCrafting, num_bonuses, "completion", num_bonuses > 3 ? num_bonuses - 2 : 1, false);
  config.num_followers = 8;
  config.num_goals = kCraftingGoals;
  config.skills_per_follower = kRawTypes + 1;
  config.decision = "employment";
  for (int b = 0; b < num_bonuses; ++b) config.prices.push_back(b);
  config.goal_reward.assign(kCraftingGoals, 0.0);
  for (const int item : kTopItems) config.goal_reward[static_cast<std::size_t>(item)] = 10.0;
  return config;
}

GameConfig with_new_preferences(GameConfig config) {
  config.new_preferences = true;
  return config;
}

/// A follower can do one of eight goal types, and walking costs it: presets in which gains differ most between leaders
/// that know the traits and leaders that do not (bench/presets.py).
GameConfig with_eight_types(GameConfig config, double effort_cost) {
  config.num_goals = 8;
  config.effort_cost = effort_cost;
  return config;
}

std::deque<Task> own_tasks() {
  return {
      {"resource_collection", "grid; 3 of 4 skills, preference among them, c = 1 (paper; M3RL S1)",
       preset(kGrid, 2, "completion", 1, false)},
      {"resource_collection_one_skill", "grid; 1 of 4 skills, preference from all types (M3RL S2)",
       preset(kGrid, 2, "completion", 1, true)},
      {"resource_collection_new_preferences",
       "grid; 1 of 4 skills, preference drawn anew in every episode from all types (M3RL S3)",
       with_new_preferences(preset(kGrid, 2, "completion", 1, true))},
      {"multi_bonus_resource_collection", "grid; four bonus levels, c from {1, 2, 3} (paper; M3RL)",
       preset(kGrid, 4, "advance", 3, false)},
      {"multi_bonus_resource_collection_one_skill", "grid; four bonus levels, c from {1, 2, 3}, 1 of 4 skills (M3RL)",
       preset(kGrid, 4, "advance", 3, true)},
      {"resource_collection_eight_types",
       "grid; eight goal types, 1 of 8 skills, preference from all types, paid in advance",
       with_eight_types(preset(kGrid, 2, "advance", 1, true), 0.0)},
      {"multi_bonus_resource_collection_effort",
       "grid; four bonus levels, c from {1, 2, 3}, 1 of 8 skills, each step of work costs a follower 0.2",
       with_eight_types(preset(kGrid, 4, "completion", 3, true), 0.2)},
      {"crafting", "grid; eight followers dig materials and craft items of them; two top-level items end it (M3RL)",
       crafting_preset(3)},
      {"multi_bonus_crafting", "grid; crafting with five bonus levels, which pay 0 to 4, c from {1, 2, 3} (M3RL)",
       crafting_preset(5)},
      {"navigation", "particles; reach landmarks, which then appear elsewhere (paper; MPE simple_spread's bodies)",
       particle_preset(kNavigation, ParticleConfig{})},
      {"predator_prey", "particles; touch randomly moving preys among obstacles (paper; MPE simple_tag's bodies)",
       particle_preset(kPredatorPrey, ParticleConfig::predator_prey())},
  };
}

std::deque<Task>& table() {
  static std::deque<Task> all = own_tasks();
  return all;
}

}  // namespace

const std::deque<Task>& tasks() { return table(); }

void add_task(Task task) {
  static const std::size_t own = own_tasks().size();
  expect(!task.name.empty(), "task", "a name", "''");
  for (std::size_t i = 0; i < table().size(); ++i) {
    Task& there = table()[i];
    if (there.name != task.name) continue;
    expect(i >= own, "task", "a name that is none of the package's own", quoted(task.name));
    there = std::move(task);
    return;
  }
  table().push_back(std::move(task));
}

void remove_task(const std::string& name) {
  const auto added = table().begin() + static_cast<std::ptrdiff_t>(own_tasks().size());
  table().erase(std::remove_if(added, table().end(), [&](const Task& task) { return task.name == name; }),
                table().end());
}

bool has_task(const std::string& name) {
  return std::any_of(table().begin(), table().end(), [&](const Task& task) { return task.name == name; });
}

const Task& find_task(const std::string& name) {
  std::string known;
  for (const Task& task : tasks()) {
    if (task.name == name) return task;
    known += (known.empty() ? "" : ", ") + task.name;
  }
  reject("task", "one of " + known, quoted(name));
}

}  // namespace paymaster
