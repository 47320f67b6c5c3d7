#include "worlds/particles/steering.hpp"

#include <algorithm>
#include <cmath>

#include "game/check.hpp"
#include "simd/processor.hpp"
#include "worlds/particles/avx2_steering.hpp"
#include "worlds/particles/steering_lanes.hpp"

namespace paymaster {
namespace {

/// Obstacles are passed at this many times the distance of contact.
constexpr double kBerth = 1.1;

}  // namespace

Steering::Steering(const SteeringConfig& config) : config_(config), tables_(std::make_shared<SteeringTables>()) {
  expect_range(config.acceleration, 1e-6, 1e6, "acceleration");
  expect(config.max_speed > 0, "max_speed", "a positive number, or infinity for none", config.max_speed);
  expect_range(config.reach, 1e-6, 1e6, "reach");
  expect_range(config.clearance, 0.0, 1e6, "clearance");
  expect(config.border > 0, "border", "a positive number, or infinity for none", config.border);
  SteeringTables& t = *tables_;
  t.reach = config.reach;
  t.max_speed = config.max_speed;
  t.border = config.border;
  t.diagonal = config.reach * std::sqrt(2.0);
  t.berth = config.clearance * kBerth;
  t.together = 2 * config.clearance;
  t.terminal = config.acceleration * kTimeStep / kDamping;
  t.per_step = 1 / (t.terminal * kTimeStep);
  t.push = config.acceleration * kTimeStep;
  t.limited = config.max_speed < t.terminal;
  double speed = 1;  // of a coasting body, relative to now
  double budget = 0;
  t.coast[0] = 0;
  for (std::size_t n = 1; n <= kMaxSteps; ++n) {
    t.coast[n] = t.coast[n - 1] + speed * kTimeStep;
    speed *= 1 - kDamping;
    // The first of n actions changes the velocity for the n - 1 moves after it.
    budget += t.push * t.coast[n - 1];
    t.after[n][0] = t.coast[n];
    t.after[n][1] = budget;
  }
  for (std::size_t n = 1; n <= kMaxSteps; ++n)
    t.after[n][2] = 0.5 * (t.push * t.coast[std::max<std::size_t>(n - 1, 2)]);
  if (t.limited) tabulate_ramps();
}

void Steering::tabulate_ramps() {
  const double limit = config_.max_speed;
  for (int i = 0; i <= 2 * kRamps; ++i) {
    double speed = limit * (i - kRamps) / kRamps, loss = 0;
    int steps = 0;
    for (; speed < limit && steps < kMaxSteps; ++steps) {
      loss += (limit - speed) * kTimeStep;
      speed = std::min((1 - kDamping) * speed + config_.acceleration * kTimeStep, limit);
    }
    if (i > 0) tables_->ramp[i - 1][1] = loss;
    if (i == 2 * kRamps) break;
    tables_->ramp[i][0] = loss;
    tables_->ramp[i][2] = steps;
  }
}

void Steering::steer_all(const SteeringScene& scene, std::int16_t (*steps)[kParticleGoals],
                         std::uint8_t (*action)[kParticleGoals]) const {
  if (has_avx2()) avx2_steer_all(*tables_, scene, steps, action);
  else SteeringLanes(*tables_, scene).run(steps, action);
}

SteeringPlan Steering::steer(const double* position, const double* velocity, const double* target,
                             const double* target_velocity, const double (*obstacles)[2], int count) const {
  using Rows = const double (*)[2];
  const std::uint8_t type = 0;
  const SteeringScene scene{reinterpret_cast<Rows>(position),
                            reinterpret_cast<Rows>(velocity),
                            1,
                            reinterpret_cast<Rows>(target),
                            reinterpret_cast<Rows>(target_velocity),
                            &type,
                            1,
                            1,
                            obstacles,
                            count};
  std::int16_t steps[1][kParticleGoals];
  std::uint8_t action[1][kParticleGoals];
  steer_all(scene, steps, action);
  return {action[0][0], static_cast<std::int16_t>(steps[0][0] + 1)};
}

std::uint8_t Steering::brake(const double* velocity) const {
  const double x = std::abs(velocity[0]) * (1 - kDamping), y = std::abs(velocity[1]) * (1 - kDamping);
  const double push = config_.acceleration * kTimeStep;
  if (std::max(x, y) <= 0.5 * push) return kNoop;  // pushing back would leave more than it takes
  if (x >= y) return velocity[0] > 0 ? kLeft : kRight;
  return velocity[1] > 0 ? kDown : kUp;
}

}  // namespace paymaster
