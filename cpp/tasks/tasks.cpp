// The one table: task name -> preset of parameters and the world that plays it.
#include "tasks/tasks.hpp"

#include <bit>
#include <cstring>

#include "batch/game_batch.hpp"
#include "game/check.hpp"
#include "worlds/particles/navigation.hpp"
#include "worlds/particles/predator_prey.hpp"

namespace paymaster {
namespace {

GameConfig preset(const WorldKind& world, int num_bonuses, const char* payment, int max_reservation, bool one_skill) {
  GameConfig config;
  config.world = &world;
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
  config.particles = particles;
  return config;
}

void check_traits(const GameConfig& game, const std::vector<Traits>& population) {
  expect(static_cast<int>(population.size()) == game.population_size, "population",
         std::to_string(game.population_size) + " followers", population.size());
  for (const Traits& t : population) {
    expect_range<int>(t.preference, 0, game.num_goals - 1, "population preference");
    expect_range(t.reservation, 0.0f, kMaxReservation, "population reservation");
  }
}

}  // namespace

const std::vector<Task>& tasks() {
  static const std::vector<Task> table = {
      {"resource_collection", "grid; 3 of 4 skills, preference among them, c = 1 (paper; M3RL S1/S3 family)",
       preset(kGrid, 2, "completion", 1, false)},
      {"resource_collection_one_skill", "grid; 1 of 4 skills, preference from all types (M3RL S2)",
       preset(kGrid, 2, "completion", 1, true)},
      {"multi_bonus_resource_collection", "grid; four bonus levels, c from {1, 2, 3} (paper; M3RL)",
       preset(kGrid, 4, "advance", 3, false)},
      {"multi_bonus_resource_collection_one_skill", "grid; four bonus levels, c from {1, 2, 3}, 1 of 4 skills (M3RL)",
       preset(kGrid, 4, "advance", 3, true)},
      {"navigation", "particles; reach landmarks, which then appear elsewhere (paper; MPE simple_spread's bodies)",
       particle_preset(kNavigation, ParticleConfig{})},
      {"predator_prey", "particles; touch randomly moving preys among obstacles (paper; MPE simple_tag's bodies)",
       particle_preset(kPredatorPrey, ParticleConfig::predator_prey())},
  };
  return table;
}

const Task& find_task(const std::string& name) {
  std::string known;
  for (const Task& task : tasks()) {
    if (task.name == name) return task;
    known += (known.empty() ? "" : ", ") + task.name;
  }
  reject("task", "one of " + known, quoted(name));
}

std::uint64_t fingerprint(const GameConfig& config, const Population& population) {
  std::uint64_t hash = fingerprint(&config.world->key, sizeof config.world->key);
  GameConfig::visit(config, [&](const char* name, const auto& value, auto&&...) {
    hash = fingerprint(name, std::strlen(name), hash);
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
      hash = fingerprint(value.data(), value.size(), hash);
    } else {
      hash = fingerprint(&value, sizeof value, hash);
    }
  });
  for (int i = 0; i < population.size(); ++i) {
    const Traits& t = population[i];
    hash = fingerprint(&t.skill, 1, hash);
    hash = fingerprint(&t.preference, 1, hash);
    hash = fingerprint(&t.reservation, sizeof t.reservation, hash);
    hash = fingerprint(&t.learns, sizeof t.learns, hash);
  }
  return hash;
}

std::unique_ptr<Batch> make_batch(const GameConfig& game, const BatchConfig& batch,
                                  const std::vector<Traits>* population) {
  expect_range(batch.num_envs, 1, 1 << 24, "num_envs");
  expect_range(batch.num_threads, 0, 1024, "num_threads");
  expect_range(batch.first_index, std::int64_t{0}, kMaxFirstIndex, "first_index");
  game.validate();
  if (population != nullptr) check_traits(game, *population);
  Population people = population != nullptr ? Population(*population) : Population::drawn(game);
  return game.world->games(game, batch, std::move(people));
}

}  // namespace paymaster
