// The parameters of the particle worlds (tasks.md, World 2 and 3).
#pragma once

#include <string>

#include "game/types.hpp"

namespace paymaster {

/// Parameters of a particle world. The defaults are navigation's; predator_prey() gives the other world's.
struct ParticleConfig {
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

  /// Calls visitor(name, member, meaning, low, high); text members get (name, member, meaning).
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("num_targets", self.num_targets, "M, landmarks or preys on the field", 1, kMaxTargets);
    visitor("num_obstacles", self.num_obstacles, "fixed round obstacles", 0, kMaxObstacles);
    visitor("arena_half_width", self.arena_half_width,
            "things appear in [-w, w] x [-w, w], and preys stay there; 0 means 1 up to 4 followers, sqrt(N / 4) beyond",
            0.0, 1000.0);
    visitor("reach_by", self.reach_by,
            "'any': whoever has the skill and is near takes a goal; 'chosen': only who has chosen its type");
    visitor("reach_distance", self.reach_distance,
            "a goal is reached when nearer than this, centre to centre; 0 means when the bodies touch", 0.0, 10.0);
    visitor("body_size", self.body_size, "radius of a follower", 0.001, 10.0);
    visitor("body_acceleration", self.body_acceleration, "of a follower's action", 0.01, 100.0);
    visitor("body_max_speed", self.body_max_speed, "top speed of a follower, 0 for none", 0.0, 100.0);
    visitor("target_size", self.target_size, "radius of a landmark or prey", 0.001, 10.0);
    visitor("target_acceleration", self.target_acceleration, "of a prey's action", 0.0, 100.0);
    visitor("target_max_speed", self.target_max_speed, "top speed of a prey, 0 for none", 0.0, 100.0);
    visitor("obstacle_size", self.obstacle_size, "radius of an obstacle", 0.001, 10.0);
    visitor("prey_hold", self.prey_hold, "steps for which preys hold their actions", 1, kMaxHorizon);
  }

  double half_width(int num_followers) const;
  double reach() const { return reach_distance > 0 ? reach_distance : body_size + target_size; }
  /// Throws std::invalid_argument naming the option, what was expected and what came.
  void validate() const;
};

}  // namespace paymaster
