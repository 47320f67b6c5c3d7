#include "support/variants.hpp"

#include <algorithm>

#include "support/maps.hpp"
#include "support/test_batch.hpp"
#include "worlds/grid/crafting_config.hpp"

namespace paymaster::test {
namespace {

void vary_contracts(GameConfig& config, Random& random) {
  config.num_goals = random.one_of({1, 2, 4, 4, 8});
  config.num_bonuses = random.one_of({1, 2, 4, 16});
  config.horizon = random.one_of({1, 7, 30, 50, 120});
  config.payment = random.one_of({"completion", "advance", "advance_once", "outcome"});
  config.noise = random.one_of({0.0, 0.0, 0.3, 1.0});
  config.abstain = random.chance(30);
  config.goal_reward = {random.one_of({0.0, 0.0, 2.5, 1000.0})};  // sums of these are exact
  if (random.chance(30)) {
    config.goal_reward.clear();
    for (int g = 0; g < config.num_goals; ++g) config.goal_reward.push_back(0.25 * random.below(30));
  }
  config.prices.clear();
  if (random.chance(40)) {
    double price = 0.25 * random.below(4);
    for (int b = 0; b < config.num_bonuses; ++b, price += 0.25 * random.between(1, 6)) config.prices.push_back(price);
  }
  if (random.chance(30)) config.budget = random.one_of({0.0, 3.0, 12.5, 60.0});
  if (random.chance(30)) {
    config.max_share = random.one_of({0.0, 0.25, 0.75, 2.0});
    if (config.payment == "advance" || config.payment == "advance_once")
      config.opening_sum = config.price_of(0) + random.one_of({0.0, 1.0, 9.5});
  }
  config.population_size = std::max(config.num_followers, random.one_of({1, 40, 100}));
  config.population_seed = random.below(1 << 30);
  config.skills_per_follower = random.between(1, config.num_goals);
  config.preference_among_skills = random.chance(50);
  config.max_reservation = random.one_of({1, 3, 20});
  config.new_preferences = is_grid(config) && random.chance(20);
  config.observe_routes = random.chance(30);
}

/// Returns how many times a step's work is that of an ordinary game.
int vary_grid(GameConfig& config, Random& random) {
  const int kind = random.below(20);
  if (kind < 10) config.own<GridConfig>().map = "";
  else if (kind < 13) config.own<GridConfig>().map = kRooms;
  else if (kind < 16)
    config.own<GridConfig>().map = random_map(random, random.between(5, 12), random.between(5, 12), 20);
  else if (kind < 19)
    config.own<GridConfig>().map = random_map(random, random.between(13, 22), random.between(13, 22), 25);
  else config.own<GridConfig>().map = random_map(random, random.between(40, 64), random.between(40, 64), 20);
  const int room = GridMap::parse(config.own<GridConfig>().map).free_cells();
  config.num_followers = std::min(random.one_of({1, 2, 4, 4, 9, 16}), room / 2);
  config.own<GridConfig>().num_resources = std::min(random.one_of({1, 4, 10, 30, 64}), room - config.num_followers);
  return 1 + config.num_followers / 6 + (kind == 19 ? 20 : 0);
}

/// What the crafting world has no other values for, and what only it has.
int vary_crafting(GameConfig& config, Random& random) {
  CraftingConfig& own = config.own<CraftingConfig>();
  if (random.chance(40)) own.map = kCraftingObstacles;
  own.num_resources = random.one_of({8, 10, 24});
  config.num_followers = random.one_of({1, 2, 8, 8, 16});
  config.decision = random.one_of({"employment", "employment", "employment_squared", "utility"});
  return 2 + config.num_followers / 4;
}

void restore_crafting(GameConfig& config, const GameConfig& preset, Random& random) {
  config.num_goals = preset.num_goals;
  config.skills_per_follower = preset.skills_per_follower;
  config.preference_among_skills = true;
  if (config.goal_reward.size() > 1 || random.chance(50)) config.goal_reward = preset.goal_reward;
}

int vary_particles(GameConfig& config, Random& random) {
  ParticleConfig& p = config.own<ParticleConfig>();
  config.num_followers = random.one_of({1, 2, 4, 4, 9, 16, 64});
  p.num_targets = random.one_of({1, 6, 6, 17, 64});
  p.num_obstacles = random.one_of({0, 0, 2, 9, 64});
  p.reach_by = random.one_of({"any", "chosen"});
  p.prey_hold = random.one_of({1, 5, 20});
  if (random.chance(50)) p.body_max_speed = random.one_of({0.0, 0.2, 1.3});
  if (random.chance(50)) p.arena_half_width = random.one_of({0.1, 0.5, 3.0, 1000.0});
  if (random.chance(25)) {
    p.reach_distance = random.one_of({0.0, 0.01, 1.0, 10.0});
    p.body_size = random.one_of({0.001, 0.4, 10.0});
    p.body_acceleration = random.one_of({0.01, 5.0, 100.0});
    p.target_size = random.one_of({0.001, 0.4, 10.0});
    p.target_acceleration = random.one_of({0.0, 3.0, 100.0});
    p.target_max_speed = random.one_of({0.0, 0.3, 100.0});
    p.obstacle_size = random.one_of({0.001, 0.2, 10.0});
  }
  const int bodies = config.num_followers + p.num_targets + p.num_obstacles;
  return 1 + config.num_followers * (3 + p.num_obstacles) / 20 + bodies * bodies / 1000;
}

}  // namespace

Variant random_variant(const GameConfig& preset, Random& random) {
  Variant v;
  v.game = preset;
  const int work = is_grid(preset)       ? vary_grid(v.game, random)
                   : is_crafting(preset) ? vary_crafting(v.game, random)
                                         : vary_particles(v.game, random);
  vary_contracts(v.game, random);
  if (is_crafting(preset)) restore_crafting(v.game, preset, random);
  const bool twins = random.chance(25);
  if (twins) v.twins = {2, 4};
  v.batch.num_envs = twins ? 40 : random.between(1, 12);  // 40: enough for four threads to have pieces each
  v.batch.seed = random.next();
  v.batch.first_index = random.one_of({std::int64_t{0}, std::int64_t{1} << 40});
  v.batch.num_threads = 1;
  v.batch.autoreset = random.one_of({Autoreset::next_step, Autoreset::same_step, Autoreset::disabled});
  v.steps = std::max(2, std::min(2 * v.game.horizon + 5, 100) * 6 / (work * (twins ? 30 : 6)));
  v.change_percent = random.one_of({1, 15, 100});
  return v;
}

}  // namespace paymaster::test
