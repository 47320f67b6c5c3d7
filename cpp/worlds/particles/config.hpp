// The parameters of the particle worlds (tasks.md, World 2 and 3).
#pragma once

#include <memory>
#include <string>

#include "game/config.hpp"
#include "worlds/particles/limits.hpp"

namespace paymaster {

/// Parameters of a particle world. The defaults are navigation's; predator_prey() gives the other world's.
struct ParticleConfig final : WorldParameters {
  int num_targets = 6;
  int num_obstacles = 0;
  double arena_half_width = 0;
  std::string reach_by = "any";
  double reach_distance = 0.15;
  double body_size = 0.15;
  double body_acceleration = 5.0;
  double body_max_speed = 0;
  double target_size = 0.05;
  double target_acceleration = 3.0;
  double target_max_speed = 0.975;
  double obstacle_size = 0.2;
  int prey_hold = 5;

  /// simple_tag's predators and obstacles; preys at the speed of mpe2's first curriculum stage but one (0.75 * 1.3).
  static ParticleConfig predator_prey() {
    ParticleConfig config;
    config.num_obstacles = 2;
    config.reach_distance = 0;
    config.body_size = 0.075;
    config.body_acceleration = 3.0;
    config.body_max_speed = 1.0;
    return config;
  }

  std::unique_ptr<WorldParameters> clone() const override { return std::make_unique<ParticleConfig>(*this); }
  void visit(ParameterVisitor& visitor) override;
  void validate(const GameConfig&) const override { validate(); }
  double half_width(int num_followers) const;
  double reach() const { return reach_distance > 0 ? reach_distance : body_size + target_size; }
  /// Throws std::invalid_argument naming the parameter, what was expected and what came; a range, too.
  void validate() const;
};

}  // namespace paymaster
