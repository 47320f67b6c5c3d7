// The particle worlds' route planner (the pi_lower of paper Sec. 4.3): discrete actions that bring one body to a point.
//
// A body's motion is linear as long as no speed limit or contact interferes: what it will have moved after n steps is
// its coasting plus, for each action, a push that fades with the steps left. Which displacements n actions can make is
// then nearly |x| + |y| <= budget(n), because an action pushes along one axis only. So the planner
//   1. finds the first n for which the target, led and minus the coasting, lies within reach of that budget and within
//      the distance the speed limit allows: the estimated steps;
//   2. pushes along the axis on which more is missing, whichever sign that has: this accelerates, corrects the course
//      and brakes before arrival alike;
//   3. goes round an obstacle by keeping to the course along its tangent (2. would only make it to the right point in
//      the end); the estimate is for a target in that direction at the distance of the whole way round. Obstacles too
//      close together to pass between them are gone round together.
// For one body and a fixed target without obstacles this takes as many steps as the estimate says, which is a lower
// bound: bench/planner.py.
// Other followers are ignored: they move away faster than a detour takes.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>

#include "game/types.hpp"
#include "worlds/particles/limits.hpp"
#include "worlds/particles/physics.hpp"

namespace paymaster {

struct SteeringConfig {
  double acceleration = 5.0;
  double max_speed = std::numeric_limits<double>::infinity();
  double reach = 0.15;      // the target is reached when it is nearer than this
  double clearance = 0.35;  // a body's centre touches an obstacle at this distance from the obstacle's centre
  double border = std::numeric_limits<double>::infinity();  // moving targets are reflected at +- this
};

struct SteeringPlan {
  std::uint8_t action;
  std::int16_t steps;  // estimated steps until the target is reached, at least 1
};

/// N bodies and M targets of G types among obstacles; positions and velocities are rows (x, y).
struct SteeringScene {
  const double (*position)[2];
  const double (*velocity)[2];
  int bodies;
  const double (*target)[2];
  const double (*target_velocity)[2];  // null: none of them moves
  const std::uint8_t* target_type;
  int targets, types;
  const double (*obstacle)[2];
  int obstacles;
};

struct SteeringTables;

class Steering {
 public:
  /// A target is led by at most this many steps; further ahead its course is anybody's guess. (2 and 4 are worse.)
  static constexpr int kLead = 3;
  /// Longest time that is planned for; farther targets are aimed at all the same.
  static constexpr int kMaxSteps = 256;
  static constexpr int kRamps = 32;

  /// Throws std::invalid_argument when a parameter is out of range.
  explicit Steering(const SteeringConfig& config);

  /// Towards the nearest target of each type (the first of equals): the actions before the one that reaches it and the
  /// action to begin with; -1 and kNoop for a type that no target has.
  void steer_all(const SteeringScene& scene, std::int16_t (*steps)[kParticleGoals],
                 std::uint8_t (*action)[kParticleGoals]) const;

  /// The action for a body at `position`, and the steps it takes from here. Obstacles: centres [count][2].
  SteeringPlan steer(const double* position, const double* velocity, const double* target,
                     const double* target_velocity, const double (*obstacles)[2], int count) const;

  /// The action that leaves the least speed.
  std::uint8_t brake(const double* velocity) const;

 private:
  void tabulate_ramps();

  SteeringConfig config_;
  std::shared_ptr<SteeringTables> tables_;
};

/// What of the plan does not depend on the situation.
struct SteeringTables {
  double reach, max_speed, border;
  double diagonal;  // reach, along both axes together
  double berth;     // at which obstacles are passed
  double together;  // centres of obstacles that are nearer leave no room in between
  double terminal;  // speed that pushing along one axis tends to
  double per_step;  // 1 / what that moves a body in a step
  double push;      // what an action adds to the velocity
  bool limited;     // the limit is below the terminal speed
  /// Speeding up to the limit along a line, for initial speeds -limit .. limit: by how much one falls behind meanwhile, the
  /// same for the next speed, and how many steps it takes.
  double ramp[2 * Steering::kRamps][4];
  double coast[Steering::kMaxSteps + 1];  // displacement in n steps without action, per unit of velocity
  /// The same again; the budget, which is the sum over n actions of what each displaces by the end; and half of what the
  /// first of them does. Rows behind the last may be read, and do not matter.
  double after[Steering::kMaxSteps + 3][4];
};

}  // namespace paymaster
