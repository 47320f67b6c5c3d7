#include "paymaster/planners/steering.hpp"

#include <algorithm>
#include <cmath>

#include "paymaster/check.hpp"

namespace paymaster {
namespace {

/// Obstacles are passed at this many times the distance of contact.
constexpr double kBerth = 1.1;
/// Round an obstacle, speed beside the course counts this much against speed along it. At 1 or more a body at rest that
/// has to leave diagonally would rather stay.
constexpr double kCourse = 0.8;

double norm(double x, double y) { return std::sqrt(x * x + y * y); }

}  // namespace

Steering::Steering(const SteeringConfig& config) : config_(config) {
  expect_range(config.acceleration, 1e-6, 1e6, "acceleration");
  expect(config.max_speed > 0, "max_speed", "a positive number, or infinity for none", config.max_speed);
  expect_range(config.reach, 1e-6, 1e6, "reach");
  expect_range(config.clearance, 0.0, 1e6, "clearance");
  expect(config.border > 0, "border", "a positive number, or infinity for none", config.border);
  double speed = 1;  // of a coasting body, relative to now
  coast_[0] = budget_[0] = 0;
  for (std::size_t n = 1; n <= kMaxSteps; ++n) {
    coast_[n] = coast_[n - 1] + speed * kTimeStep;
    speed *= 1 - kDamping;
    // The first of n actions changes the velocity for the n - 1 moves after it.
    budget_[n] = budget_[n - 1] + config.acceleration * kTimeStep * coast_[n - 1];
  }
  terminal_ = config.acceleration * kTimeStep / kDamping;
  limited_ = config.max_speed < terminal_;
  if (limited_) tabulate_ramps();
}

void Steering::tabulate_ramps() {
  const double limit = config_.max_speed;
  for (int i = 0; i <= 2 * kRamps; ++i) {
    Ramp& ramp = ramps_[static_cast<std::size_t>(i)];
    double speed = limit * (i - kRamps) / kRamps;
    for (ramp = {}; speed < limit && ramp.steps < kMaxSteps; ++ramp.steps) {
      ramp.loss += (limit - speed) * kTimeStep;
      speed = std::min((1 - kDamping) * speed + config_.acceleration * kTimeStep, limit);
    }
  }
}

int Steering::steps_of_limit(double needed, double speed) const {
  const double limit = config_.max_speed;
  const double where = (std::clamp(speed / limit, -1.0, 1.0) + 1) * kRamps;
  const int i = std::min(static_cast<int>(where), 2 * kRamps - 1);
  const Ramp &low = ramps_[static_cast<std::size_t>(i)], &high = ramps_[static_cast<std::size_t>(i) + 1];
  const double loss = low.loss + (where - i) * (high.loss - low.loss);
  const double steps = (needed + loss) / (limit * kTimeStep);
  if (steps < low.steps) return 1;  // not up to the limit yet: the budget decides
  return steps < kMaxSteps ? static_cast<int>(steps) + 1 : kMaxSteps;
}

int Steering::steps_of_budget(double needed, double speed) const {
  // Progress in n steps at full acceleration: n * terminal * dt - (terminal - speed) * coast(n).
  if (needed <= 0 || speed >= terminal_) return 1;
  const double per_step = 1 / (terminal_ * kTimeStep), first = needed * per_step;
  if (first >= kMaxSteps) return kMaxSteps;
  const double steps = first + (terminal_ - speed) * coast_[static_cast<std::size_t>(first)] * per_step;
  return steps < kMaxSteps ? static_cast<int>(steps) + 1 : kMaxSteps;
}

int Steering::first_candidate(const Vector2& aim, const double* velocity) const {
  // Along both axes together, and along the straight line.
  const double diagonal = config_.reach * std::sqrt(2.0);
  const double along_axes = (aim[0] < 0 ? -velocity[0] : velocity[0]) + (aim[1] < 0 ? -velocity[1] : velocity[1]);
  const int least = steps_of_budget(std::abs(aim[0]) + std::abs(aim[1]) - diagonal, along_axes);
  if (!limited_) return least;
  const double distance = norm(aim[0], aim[1]);
  if (distance <= config_.reach) return least;
  const double speed = (aim[0] * velocity[0] + aim[1] * velocity[1]) / distance;
  return std::max(least, steps_of_limit(distance - config_.reach, speed));
}

Steering::Lead Steering::lead(const double* target, const double* velocity) const {
  Lead moved{};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    if (velocity[axis] == 0) continue;
    const double at = target[axis], border = config_.border;
    const bool inside = std::abs(at) <= border;
    for (std::size_t n = 1; n <= kLead; ++n) {
      double next = at + static_cast<double>(n) * velocity[axis] * kTimeStep;
      if (inside && std::abs(next) > border) next = std::copysign(2 * border, next) - next;
      moved[n][axis] = next - at;
    }
  }
  return moved;
}

Steering::Arrival Steering::arrival(const Vector2& aim, const double* velocity, const Lead& lead) const {
  const double reach = config_.reach, diagonal = reach * std::sqrt(2.0);
  int n = first_candidate({aim[0] + lead[kLead][0], aim[1] + lead[kLead][1]}, velocity);
  if (n <= kLead) n = 1;  // the target is not there yet
  for (;; ++n) {
    const auto i = static_cast<std::size_t>(n);
    const Vector2& moved = lead[static_cast<std::size_t>(std::min(n, kLead))];
    const Arrival found{n, {aim[0] + moved[0] - coast_[i] * velocity[0], aim[1] + moved[1] - coast_[i] * velocity[1]}};
    if (n >= kMaxSteps) return found;
    // What n actions can add is a diamond: is the missing point within reach of it, of a side or of a corner?
    const double a = std::abs(found.missing[0]), b = std::abs(found.missing[1]), beyond = a + b - budget_[i];
    if (beyond >= diagonal) continue;
    if (beyond <= 0 || 2 * std::min(a, b) >= beyond) return found;
    if (norm(std::max(a, b) - budget_[i], std::min(a, b)) < reach) return found;
  }
}

Steering::Route Steering::route(const double* position, const double* velocity, const Vector2& way,
                                const double (*obstacles)[2], int count) const {
  const double length = norm(way[0], way[1]);
  if (count == 0 || length == 0) return {way, true};
  // Coordinates of the obstacles: along the way, and to its left.
  const double x = way[0] / length, y = way[1] / length, berth = config_.clearance * kBerth;
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
  if (wall == 0) return {way, true};
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

Steering::Route Steering::around(const double* velocity, const Vector2& way, double length, std::uint64_t wall,
                                 const double* along, const double* left, int count) const {
  double radius[kMaxObstacles];  // a target beside an obstacle is not gone round in a wider circle than its own
  for (int i = 0; i < count; ++i) radius[i] = std::min(config_.clearance * kBerth, norm(along[i] - length, left[i]));
  Route best{way, true};
  double least = std::numeric_limits<double>::infinity();
  for (const double side : {1.0, -1.0}) {  // left, right
    int outermost = 0;
    double turn = -10;
    for (int i = 0; i < count; ++i) {
      if (!(wall >> i & 1)) continue;
      const double away = norm(along[i], left[i]);
      const double tangent = std::asin(std::min(radius[i] / std::max(away, 1e-9), 1.0));
      const double angle = side * std::atan2(left[i], along[i]) + tangent;
      if (angle <= turn) continue;
      turn = angle;
      outermost = i;
    }
    // The way round leads through the point beside the outermost centre.
    const double x = along[outermost], y = left[outermost], out = side * radius[outermost] / std::max(norm(x, y), 1e-9);
    const double beside_x = x - y * out, beside_y = y + x * out;
    const double round = norm(beside_x, beside_y) + norm(length - beside_x, beside_y);
    const double ahead = std::cos(turn) / length, aside = side * std::sin(turn) / length;
    const Vector2 start{way[0] * ahead - way[1] * aside, way[1] * ahead + way[0] * aside};
    // What the body coasts that way anyhow is for free; so it does not change its mind halfway either.
    const double cost = round - coast_[kMaxSteps] * (start[0] * velocity[0] + start[1] * velocity[1]);
    if (cost >= least) continue;
    least = cost;
    best = {{start[0] * round, start[1] * round}, false};
  }
  return best;
}

SteeringPlan Steering::steer(const double* position, const double* velocity, const double* target,
                             const double* target_velocity, const double (*obstacles)[2], int count) const {
  const Vector2 way{target[0] - position[0], target[1] - position[1]};
  const Route found = route(position, velocity, way, obstacles, count);
  const Arrival arrive = arrival(found.aim, velocity, found.direct ? lead(target, target_velocity) : Lead{});
  if (!found.direct) return {follow(found.aim, velocity), static_cast<std::int16_t>(arrive.steps)};
  // An action that would overshoot by more than is missing is left out. One step ahead no action has any effect: the
  // target is reached by coasting, and the body prepares to stay.
  const auto left = static_cast<std::size_t>(std::max(arrive.steps - 1, 2));
  const double x = arrive.missing[0], y = arrive.missing[1];
  const double push = config_.acceleration * kTimeStep * coast_[left];
  std::uint8_t action = kNoop;
  if (std::max(std::abs(x), std::abs(y)) > 0.5 * push) {
    if (std::abs(x) >= std::abs(y)) action = x > 0 ? kRight : kLeft;
    else action = y > 0 ? kUp : kDown;
  }
  return {action, static_cast<std::int16_t>(arrive.steps)};
}

std::uint8_t Steering::follow(const Vector2& course, const double* velocity) const {
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
