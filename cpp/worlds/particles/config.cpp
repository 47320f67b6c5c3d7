#include "worlds/particles/config.hpp"

#include <algorithm>
#include <cmath>

#include "game/check.hpp"
#include "worlds/particles/particles.hpp"

namespace paymaster {

void ParticleConfig::visit(ParameterVisitor& visitor) {
  visitor("num_targets", num_targets, "M, landmarks or preys on the field", 1, kMaxTargets);
  visitor("num_obstacles", num_obstacles, "fixed round obstacles", 0, kMaxObstacles);
  visitor("arena_half_width", arena_half_width,
          "things appear in [-w, w] x [-w, w], and preys stay there; 0 means 1 up to 4 followers, sqrt(N / 4) beyond",
          0.0, 1000.0);
  visitor("reach_by", reach_by,
          "'any': whoever has the skill and is near takes a goal; 'chosen': only who has chosen its type",
          Choices{"any", "chosen"});
  visitor("reach_distance", reach_distance,
          "a goal is reached when nearer than this, centre to centre; 0 means when the bodies touch", 0.0, 10.0);
  visitor("body_size", body_size, "radius of a follower", 0.001, 10.0);
  visitor("body_acceleration", body_acceleration, "of a follower's action", 0.01, 100.0);
  visitor("body_max_speed", body_max_speed, "top speed of a follower, 0 for none", 0.0, 100.0);
  visitor("target_size", target_size, "radius of a landmark or prey", 0.001, 10.0);
  visitor("target_acceleration", target_acceleration, "of a prey's action", 0.0, 100.0);
  visitor("target_max_speed", target_max_speed, "top speed of a prey, 0 for none", 0.0, 100.0);
  visitor("obstacle_size", obstacle_size, "radius of an obstacle", 0.001, 10.0);
  visitor("prey_hold", prey_hold, "steps for which preys hold their actions", 1, kMaxHorizon);
}

double ParticleConfig::half_width(int num_followers) const {
  if (arena_half_width > 0) return arena_half_width;
  return num_followers <= 4 ? 1.0 : std::sqrt(num_followers / 4.0);  // so that density stays
}

void ParticleConfig::validate() const { check_ranges(*this); }

std::vector<BodyField> particle_body(const GameConfig& game) {
  // A body may be thrown out of the arena, to 2.5 times its size, and beyond its own top speed.
  const auto& p = game.own<ParticleConfig>();
  const double drag = 0.4 * p.body_acceleration;  // MPE: the speed that pushing along one axis tends to
  const double fast = p.body_max_speed > 0 ? std::min(drag, p.body_max_speed) : drag;
  return {{.name = "position", .scale = static_cast<float>(2 * p.half_width(game.num_followers))},
          {.name = "velocity", .scale = static_cast<float>(fast)}};
}

}  // namespace paymaster
