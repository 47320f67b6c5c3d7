#include "paymaster/planners/steering.hpp"

#include <algorithm>
#include <cmath>

#include "../processor.hpp"
#include "avx2_steering.hpp"
#include "paymaster/check.hpp"
#include "steering_lanes.hpp"

namespace paymaster {
namespace {

/// Obstacles are passed at this many times the distance of contact.
constexpr double kBerth = 1.1;
/// Round an obstacle, speed beside the course counts this much against speed along it. At 1 or more a body at rest that
/// has to leave diagonally would rather stay.
constexpr double kCourse = 0.8;

double norm(double x, double y) { return std::sqrt(x * x + y * y); }

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
  t.terminal = config.acceleration * kTimeStep / kDamping;
  t.per_step = 1 / (t.terminal * kTimeStep);
  t.push = config.acceleration * kTimeStep;
  t.limited = config.max_speed < t.terminal;
  double speed = 1;  // of a coasting body, relative to now
  double budget = 0;
  t.coast[0] = t.coast_and_budget[0][0] = t.coast_and_budget[0][1] = 0;
  for (std::size_t n = 1; n <= kMaxSteps; ++n) {
    t.coast[n] = t.coast[n - 1] + speed * kTimeStep;
    speed *= 1 - kDamping;
    // The first of n actions changes the velocity for the n - 1 moves after it.
    budget += t.push * t.coast[n - 1];
    t.coast_and_budget[n][0] = t.coast[n];
    t.coast_and_budget[n][1] = budget;
  }
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
    tables_->ramp_steps[i] = steps;
    tables_->ramp_loss[i] = loss;
  }
}

void Steering::steer_all(const SteeringScene& scene, std::int16_t (*steps)[kMaxGoals],
                         std::uint8_t (*action)[kMaxGoals]) const {
  if (has_avx2()) avx2_steer_all(*this, *tables_, scene, steps, action);
  else SteeringLanes(*this, *tables_, scene).run(steps, action);
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
  std::int16_t steps[1][kMaxGoals];
  std::uint8_t action[1][kMaxGoals];
  steer_all(scene, steps, action);
  return {action[0][0], static_cast<std::int16_t>(steps[0][0] + 1)};
}

bool Steering::detour(const double* position, const double* velocity, double* way, const double (*obstacles)[2],
                      int count) const {
  const double length = norm(way[0], way[1]);
  if (count == 0 || length == 0) return false;
  // Coordinates of the obstacles: along the way, and to its left.
  const double x = way[0] / length, y = way[1] / length, berth = tables_->berth;
  double along[kMaxObstacles], left[kMaxObstacles], first = length;
  std::uint64_t wall = 0;  // bits of the obstacles to go round
  for (int i = 0; i < count; ++i) {
    const double ox = obstacles[i][0] - position[0], oy = obstacles[i][1] - position[1];
    along[i] = ox * x + oy * y;
    left[i] = oy * x - ox * y;
    if (along[i] <= 0 || along[i] >= first || std::abs(left[i]) >= berth) continue;
    if (std::abs(left[i]) >= norm(along[i] - length, left[i])) continue;  // the target itself is as near to it
    first = along[i];
    wall = std::uint64_t{1} << i;
  }
  if (wall == 0) return false;
  // Obstacles too close together to pass between them are one.
  for (std::uint64_t before = 0; before != wall;) {
    before = wall;
    for (int i = 0; i < count; ++i) {
      for (int j = 0; j < count && !(wall >> i & 1) && along[i] < length; ++j) {
        if ((before >> j & 1) && norm(along[i] - along[j], left[i] - left[j]) < 2 * config_.clearance)
          wall |= std::uint64_t{1} << i;
      }
    }
  }
  return around(velocity, way, length, wall, along, left, count);
}

bool Steering::around(const double* velocity, double* way, double length, std::uint64_t wall, const double* along,
                      const double* left, int count) const {
  // A target beside an obstacle is not gone round in a wider circle than its own.
  double radius[kMaxObstacles], bearing[kMaxObstacles], tangent[kMaxObstacles];
  for (int i = 0; i < count; ++i) {
    if (!(wall >> i & 1)) continue;
    radius[i] = std::min(tables_->berth, norm(along[i] - length, left[i]));
    bearing[i] = std::atan2(left[i], along[i]);
    tangent[i] = std::asin(std::min(radius[i] / std::max(norm(along[i], left[i]), 1e-9), 1.0));
  }
  double least = std::numeric_limits<double>::infinity(), best[2] = {way[0], way[1]};
  for (const double side : {1.0, -1.0}) {  // left, right
    int outermost = 0;
    double turn = -10;
    for (int i = 0; i < count; ++i) {
      if (!(wall >> i & 1)) continue;
      const double angle = side * bearing[i] + tangent[i];
      if (angle <= turn) continue;
      turn = angle;
      outermost = i;
    }
    // The way round leads through the point beside the outermost centre.
    const double x = along[outermost], y = left[outermost], out = side * radius[outermost] / std::max(norm(x, y), 1e-9);
    const double beside_x = x - y * out, beside_y = y + x * out;
    const double round = norm(beside_x, beside_y) + norm(length - beside_x, beside_y);
    const double ahead = std::cos(turn) / length, aside = side * std::sin(turn) / length;
    const double start[2] = {way[0] * ahead - way[1] * aside, way[1] * ahead + way[0] * aside};
    // What the body coasts that way anyhow is for free; so it does not change its mind halfway either.
    const double cost = round - tables_->coast[kMaxSteps] * (start[0] * velocity[0] + start[1] * velocity[1]);
    if (cost >= least) continue;
    least = cost;
    best[0] = start[0] * round;
    best[1] = start[1] * round;
  }
  way[0] = best[0];
  way[1] = best[1];
  return least < std::numeric_limits<double>::infinity();
}

std::uint8_t Steering::follow(const double* course, const double* velocity) const {
  std::uint8_t best = kNoop;
  double most = -std::numeric_limits<double>::infinity();
  for (std::uint8_t action = 0; action < kParticleActions; ++action) {
    double x = (1 - kDamping) * velocity[0] + config_.acceleration * kTimeStep * kPush[action][0];
    double y = (1 - kDamping) * velocity[1] + config_.acceleration * kTimeStep * kPush[action][1];
    if (const double speed = norm(x, y); speed > config_.max_speed) {
      x *= config_.max_speed / speed;
      y *= config_.max_speed / speed;
    }
    const double value = x * course[0] + y * course[1] - kCourse * std::abs(x * course[1] - y * course[0]);
    if (value <= most) continue;
    most = value;
    best = action;
  }
  return best;
}

std::uint8_t Steering::brake(const double* velocity) const {
  const double x = std::abs(velocity[0]) * (1 - kDamping), y = std::abs(velocity[1]) * (1 - kDamping);
  const double push = config_.acceleration * kTimeStep;
  if (std::max(x, y) <= 0.5 * push) return kNoop;  // pushing back would leave more than it takes
  if (x >= y) return velocity[0] > 0 ? kLeft : kRight;
  return velocity[1] > 0 ? kDown : kUp;
}

}  // namespace paymaster
