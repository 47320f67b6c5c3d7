// A particle world in a drawn-up situation, for one step at a time.
#pragma once

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "worlds/particles/navigation.hpp"
#include "worlds/particles/predator_prey.hpp"

namespace paymaster::test {

inline constexpr std::uint8_t kAll = 0xff;
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A world in a drawn-up situation. Goals that are not placed lie where nobody comes.
template <class World>
struct Scene {
  ParticleConfig config;
  int followers, types;
  World world;
  std::unique_ptr<ParticleState> state = std::make_unique<ParticleState>();  // value-initialised
  std::vector<std::uint8_t> action;
  std::vector<GoalSet> skill, reached;
  std::vector<std::int8_t> committed, chosen;
  int t = 1;  // preys hold their actions

  Scene(int n, int goal_types, const ParticleConfig& c)
      : config(c), followers(n), types(goal_types), world(n, goal_types, c) {
    const auto count = static_cast<std::size_t>(n);
    action.assign(count, kNoop);
    skill.assign(count, kAll);
    reached.assign(count, 0xee);
    committed.assign(count, kNone);
    chosen.assign(count, kNone);
    for (int k = 0; k < n; ++k) follower(k, -0.9, 0.9 - 0.4 * k);
    for (int i = 0; i < c.num_targets; ++i) goal(i, 0, 0.9, 0.9 - 0.15 * i);
    for (int i = 0; i < c.num_obstacles; ++i) put(world.first_obstacle() + i, 0.5, -0.7 + 0.5 * i);
  }

  void put(int body, double x, double y, double vx = 0, double vy = 0) {
    state->position[body][0] = x;
    state->position[body][1] = y;
    state->velocity[body][0] = vx;
    state->velocity[body][1] = vy;
  }
  void follower(int k, double x, double y, double vx = 0, double vy = 0) { put(k, x, y, vx, vy); }
  void goal(int i, int type, double x, double y, double vx = 0, double vy = 0) {
    state->goal_type[i] = static_cast<std::uint8_t>(type);
    put(world.first_goal() + i, x, y, vx, vy);
  }
  const double* goal_position(int i) const { return state->position[world.first_goal() + i]; }
  const double* goal_velocity(int i) const { return state->velocity[world.first_goal() + i]; }

  MoveContext context(std::uint64_t environment = 3) const {
    return {action.data(), skill.data(), committed.data(), chosen.data(), 11, environment, 5, t};
  }
  void move() {
    world.move(*state, context(), reached.data());
    world.refresh(*state);
    ++t;
  }
};

using Landmarks = Scene<NavigationWorld>;
using Preys = Scene<PredatorPreyWorld>;

/// Bodies so small that they never push each other, which reach at 0.15.
inline ParticleConfig tiny_bodies(int targets) {
  ParticleConfig config;
  config.num_targets = targets;
  config.body_size = 0.001;
  return config;
}

inline ParticleConfig preys(int targets, int obstacles = 0) {
  ParticleConfig config = ParticleConfig::predator_prey();
  config.num_targets = targets;
  config.num_obstacles = obstacles;
  return config;
}

inline double distance(const double* a, const double* b) { return std::hypot(a[0] - b[0], a[1] - b[1]); }

using Reached = std::vector<GoalSet>;

}  // namespace paymaster::test
