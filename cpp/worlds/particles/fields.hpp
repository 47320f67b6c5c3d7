// What a particle world shows and stores, field by field.
#pragma once

#include "game/check.hpp"
#include "game/fields.hpp"
#include "worlds/particles/particles.hpp"

namespace paymaster {

template <class Rules, class Room>
template <class Visitor>
void ParticleWorld<Rules, Room>::observe(const State& s, Visitor&& field) const {
  const Shape followers{n_, 2}, goals{targets_, 2};
  const auto numbers = [&field](const char* name, const char* meaning, Shape shape, Real range,
                                const double (*rows)[2]) {
    field(name, meaning, shape, range, [rows](int i, int axis) { return static_cast<float>(rows[i][axis]); });
  };
  const auto up_to = [](double speed) {
    const double most = speed * (1 + 1e-6);  // a capped speed may round up
    return speed > 0 ? Real(-most, most) : Real();
  };
  const Real arena(-half_width_, half_width_);
  field("goal_type", "type of each goal", Shape{targets_, 0}, Whole(0, types_ - 1),
        [&](int i, int) { return s.goal_type[i]; });
  numbers("position", "x and y of each follower", followers, Real(), s.position);  // it has no walls (MPE)
  numbers("velocity", "of each follower", followers, up_to(config_.body_max_speed), s.velocity);
  numbers("goal_position", "x and y of each goal", goals, arena, s.position + first_goal());
  if constexpr (Rules::kGoalsMove) {
    numbers("goal_velocity", "of each goal", goals, up_to(config_.target_max_speed), s.velocity + first_goal());
  }
  if (obstacles_ > 0) {
    numbers("obstacle_position", "x and y of each obstacle's centre", Shape{obstacles_, 2}, arena,
            s.position + first_obstacle());
  }
}

template <class Rules, class Room>
template <class S, class Visitor>
void ParticleWorld<Rules, Room>::visit(S& s, Visitor&& field) const {
  // More than any game comes to. A game that is set to the limits stays within ten times as much, the observation's space,
  // until its episode ends: what it moves by itself or is pushed is far less.
  constexpr double kFar = gives_back_play<Visitor>() ? 1e6 : 1e5;
  // A velocity that was cut to the top speed is above it by rounding at most.
  const auto fastest = [](double top) { return top > 0 ? top * (1 + 1e-12) : kFar; };
  const Shape followers{n_, 2}, goals{targets_, 2};
  const auto numbers = [&field](const char* name, const char* meaning, Shape shape, auto* rows, double limit) {
    field(
        name, meaning, shape, double{}, [rows](int i, int axis) { return rows[i][axis]; },
        [rows, limit, name](int i, int axis, double value) {
          expect_range(value, -limit, limit, name);
          rows[i][axis] = value;
        });
  };
  using I = std::int32_t;
  numbers("position", "x and y of each follower", followers, s.position, kFar);
  numbers("velocity", "of each follower", followers, s.velocity, fastest(config_.body_max_speed));
  field(
      "goal_type", "type of each goal", Shape{targets_, 0}, I{}, [&](int i, int) { return s.goal_type[i]; },
      [&](int i, int, I value) {
        expect_range(value, 0, types_ - 1, "goal_type");
        s.goal_type[i] = static_cast<std::uint8_t>(value);
      });
  numbers("goal_position", "x and y of each goal", goals, s.position + first_goal(), half_width_);
  if constexpr (Rules::kGoalsMove) {
    numbers("goal_velocity", "of each goal", goals, s.velocity + first_goal(), fastest(config_.target_max_speed));
    field(
        "goal_action", "action that each goal holds: 0 noop, 1 left, 2 right, 3 down, 4 up", Shape{targets_, 0}, I{},
        [&](int i, int) { return s.goal_action[i]; },
        [&](int i, int, I value) {
          expect_range(value, 0, kParticleActions - 1, "goal_action");
          s.goal_action[i] = static_cast<std::uint8_t>(value);
        });
  }
  if (obstacles_ > 0) {
    numbers("obstacle_position", "x and y of each obstacle's centre", Shape{obstacles_, 2},
            s.position + first_obstacle(), half_width_);
  }
}

}  // namespace paymaster
