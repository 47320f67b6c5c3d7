// Member functions of ParticleWorld, for the source file that instantiates a world: navigation.cpp, predator_prey.cpp.
#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "game/check.hpp"
#include "worlds/particles/particles.hpp"
#include "worlds/particles/steering_config.hpp"

namespace paymaster {

/// Distance between two points, as mpe2 computes it.
inline double distance_between(const double* a, const double* b) {
  const double x = a[0] - b[0], y = a[1] - b[1];
  return std::sqrt(x * x + y * y);
}

template <class Rules, class Room>
std::vector<BodyType<double>> body_types(int num_followers, const ParticleConfig& config) {
  config.validate();
  expect_range(num_followers, 1, Room::kMaxFollowers, "num_followers");
  const auto limit = [](double speed) { return speed > 0 ? speed : std::numeric_limits<double>::infinity(); };
  const BodyType<double> follower{config.body_size, config.body_acceleration, limit(config.body_max_speed)};
  const BodyType<double> goal{config.target_size, config.target_acceleration, limit(config.target_max_speed),
                              Rules::kGoalsMove, Rules::kGoalsMove};
  BodyType<double> obstacle{config.obstacle_size, 0};
  obstacle.movable = false;
  std::vector<BodyType<double>> types;
  types.insert(types.end(), static_cast<std::size_t>(num_followers), follower);
  types.insert(types.end(), static_cast<std::size_t>(config.num_targets), goal);
  types.insert(types.end(), static_cast<std::size_t>(config.num_obstacles), obstacle);
  return types;
}

template <class Rules, class Room>
ParticleWorld<Rules, Room>::ParticleWorld(int num_followers, int num_goals, const ParticleConfig& config)
    : config_(config),
      physics_(body_types<Rules, Room>(num_followers, config)),
      steering_(steering_of(num_followers, config)),
      n_(num_followers),
      types_(num_goals),
      targets_(config.num_targets),
      obstacles_(config.num_obstacles),
      half_width_(config.half_width(num_followers)),
      reach_(config.reach()),
      out_of_reach_(reach_ * reach_ * (1 + 0x1p-40)),
      chosen_only_(config.reach_by == "chosen") {
  expect_range(num_goals, 1, kParticleGoals, "num_goals");
}

template <class Rules, class Room>
bool ParticleWorld<Rules, Room>::overlaps(const State& s, int body, int first, int last) const {
  for (int other = first; other < last; ++other) {
    const double touching = physics_.type(body).size + physics_.type(other).size;
    if (distance_between(s.position[body], s.position[other]) < touching) return true;
  }
  return false;
}

template <class Rules, class Room>
void ParticleWorld<Rules, Room>::place(State& s, Draws& draws, int body, double half, int before,
                                       int obstacle_end) const {
  constexpr int kTries = 100;
  s.velocity[body][0] = s.velocity[body][1] = 0;
  for (int tries = 0; tries < kTries; ++tries) {
    for (double& coordinate : s.position[body]) coordinate = (2 * draws.unit() - 1) * half;
    if (!overlaps(s, body, first_obstacle(), obstacle_end) && !overlaps(s, body, 0, before)) return;
  }
}

template <class Rules, class Room>
void ParticleWorld<Rules, Room>::spawn(State& s, Draws& draws, int i, int before) const {
  s.goal_type[i] = static_cast<std::uint8_t>(draws.below(static_cast<std::uint32_t>(types_)));
  place(s, draws, first_goal() + i, half_width_, before, first_obstacle() + obstacles_);
}

template <class Rules, class Room>
void ParticleWorld<Rules, Room>::reset(State& s, Draws& draws) const {
  const int end = first_obstacle() + obstacles_;
  for (int i = first_obstacle(); i < end; ++i) place(s, draws, i, 0.9 * half_width_, 0, i);  // 0.9: simple_tag
  for (int k = 0; k < n_; ++k) place(s, draws, k, half_width_, k, end);
  for (int i = 0; i < targets_; ++i) {
    spawn(s, draws, i, Rules::kGoalsMove ? first_goal() + i : 0);
    s.goal_action[i] = kNoop;
  }
}

template <class Rules, class Room>
void ParticleWorld<Rules, Room>::refresh(State& s) const {
  std::fill_n(s.available, kParticleGoals, std::uint8_t{0});
  for (int i = 0; i < targets_; ++i) ++s.available[s.goal_type[i]];
  const double (*goal_velocity)[2] = Rules::kGoalsMove ? s.velocity + first_goal() : nullptr;
  steering_.steer_all({s.position, s.velocity, n_, s.position + first_goal(), goal_velocity, s.goal_type, targets_,
                       types_, s.position + first_obstacle(), obstacles_},
                      s.distance, s.route);
}

template <class Rules, class Room>
void ParticleWorld<Rules, Room>::plan(const State& s, const std::int8_t* chosen, std::uint8_t* actions) const {
  for (int k = 0; k < n_; ++k) {
    const bool stops = chosen[k] == kNone || s.distance[k][chosen[k]] == kNone;
    actions[k] = stops ? steering_.brake(s.velocity[k]) : s.route[k][chosen[k]];
  }
}

template <class Rules, class Room>
bool ParticleWorld<Rules, Room>::in_reach(const State& s, int i) const {
  const double* goal = s.position[first_goal() + i];
  bool found = false;
  for (int k = 0; k < n_; ++k) {
    const double x = s.position[k][0] - goal[0], y = s.position[k][1] - goal[1];
    found |= x * x + y * y <= out_of_reach_;
  }
  return found;
}

template <class Rules, class Room>
int ParticleWorld<Rules, Room>::taker(const State& s, int i, const MoveContext& context) const {
  const int type = s.goal_type[i];
  int best = kNone;
  bool best_committed = false;
  double least = 0;
  for (int k = 0; k < n_; ++k) {
    const double x = s.position[k][0] - s.position[first_goal() + i][0];
    const double y = s.position[k][1] - s.position[first_goal() + i][1];
    if (x * x + y * y > out_of_reach_) continue;
    if (!holds(context.skill[k], type) || (chosen_only_ && context.chosen[k] != type)) continue;
    const double away = std::sqrt(x * x + y * y);
    if (away >= reach_) continue;
    const bool committed = context.committed[k] == type;
    if (best != kNone && (committed != best_committed ? best_committed : away >= least)) continue;
    best = k;
    best_committed = committed;
    least = away;
  }
  return best;
}

template <class Rules, class Room>
void ParticleWorld<Rules, Room>::move(State& s, const MoveContext& context, GoalSet* reached) const {
  std::uint8_t actions[State::kMaxBodies];
  std::copy_n(context.action, n_, actions);
  Rules::drive(*this, s, context, actions);
  physics_.step(s.position, s.velocity, actions);
  Rules::confine(*this, s);

  // All goals are looked at before any is replaced: a new one counts from the next step on.
  std::fill_n(reached, n_, GoalSet{0});
  int taken[kMaxTargets], count = 0;
  for (int i = 0; i < targets_; ++i) {
    if (!in_reach(s, i)) continue;
    const int k = taker(s, i, context);
    if (k == kNone) continue;
    reached[k] |= set_of(s.goal_type[i]);
    taken[count++] = i;
  }
  if (count == 0) return;
  Draws draws(context.seed, Stream::respawn, static_cast<std::uint64_t>(context.step),
              static_cast<std::uint64_t>(context.episode), context.environment);
  for (int j = 0; j < count; ++j) spawn(s, draws, taken[j], 0);
}

template <class Rules, class Room>
void ParticleWorld<Rules, Room>::validate(const State& s) const {
  const auto named = [&](int body) -> std::string {
    if (body < n_) return "position (follower " + std::to_string(body) + ")";
    if (body < first_obstacle()) return "goal_position (goal " + std::to_string(body - first_goal()) + ")";
    return "obstacle_position (obstacle " + std::to_string(body - first_obstacle()) + ")";
  };
  for (int b = 0; b < physics_.bodies(); ++b) {
    for (int a = 0; a < b && physics_.type(b).collides; ++a) {
      if (!physics_.type(a).collides) continue;
      expect(distance_between(s.position[a], s.position[b]) > 0, named(b), "a point where no other body is",
             "that of " + named(a));
    }
  }
}

}  // namespace paymaster
