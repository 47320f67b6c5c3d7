// How a particle world's planner is set up: the steering of its followers, out of the world's parameters.
#pragma once

#include "worlds/particles/particles.hpp"
#include "worlds/particles/steering.hpp"

namespace paymaster {

inline SteeringConfig steering_of(int num_followers, const ParticleConfig& config) {
  SteeringConfig steering;
  steering.acceleration = config.body_acceleration;
  if (config.body_max_speed > 0) steering.max_speed = config.body_max_speed;
  steering.reach = config.reach();
  steering.clearance = config.body_size + config.obstacle_size;
  steering.border = config.half_width(num_followers);
  return steering;
}

}  // namespace paymaster
