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

#include <array>
#include <cstdint>
#include <limits>

#include "paymaster/physics/particles.hpp"
#include "paymaster/types.hpp"

namespace paymaster {

using Vector2 = std::array<double, 2>;

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

class Steering {
 public:
  /// A target is led by at most this many steps; further ahead its course is anybody's guess. (2 and 4 are worse.)
  static constexpr int kLead = 3;
  /// Longest time that is planned for; farther targets are aimed at all the same.
  static constexpr int kMaxSteps = 256;

  /// Throws std::invalid_argument when a parameter is out of range.
  explicit Steering(const SteeringConfig& config);

  /// The action for a body at `position`, and the steps it takes from here. Obstacles: centres [count][2].
  SteeringPlan steer(const double* position, const double* velocity, const double* target,
                     const double* target_velocity, const double (*obstacles)[2], int count) const;

  /// The action that leaves the least speed.
  std::uint8_t brake(const double* velocity) const;

  const SteeringConfig& config() const { return config_; }

 private:
  struct Route {
    Vector2 aim;  // displacement to the target; round an obstacle, as if the way round were stretched out straight
    bool direct;  // nothing is in between
  };
  struct Arrival {
    int steps;
    Vector2 missing;  // displacement that is still to be made by actions
  };
  using Lead = std::array<Vector2, kLead + 1>;  // where a target will have moved to in 0 .. kLead steps
  Lead lead(const double* target, const double* velocity) const;
  Route route(const double* position, const double* velocity, const Vector2& way, const double (*obstacles)[2],
              int count) const;
  /// The shorter way round the obstacles in `wall` (a bit each), given along the straight way and to its left.
  Route around(const double* velocity, const Vector2& way, double length, std::uint64_t wall, const double* along,
               const double* left, int count) const;
  /// The action that keeps to a course best, one step ahead.
  std::uint8_t follow(const Vector2& course, const double* velocity) const;
  void tabulate_ramps();
  /// Steps before which nothing at this distance can be reached, starting with this speed towards it: because of the
  /// speed limit (all but exact), and because of the budget (a lower bound).
  int steps_of_limit(double needed, double speed) const;
  int steps_of_budget(double needed, double speed) const;
  int first_candidate(const Vector2& aim, const double* velocity) const;
  Arrival arrival(const Vector2& aim, const double* velocity, const Lead& lead) const;

  /// Speeding up to the limit along a line: how many steps it takes, and by how much one falls behind meanwhile.
  struct Ramp {
    int steps = 0;
    double loss = 0;
  };
  static constexpr int kRamps = 32;

  SteeringConfig config_;
  double terminal_;                           // speed that pushing along one axis tends to
  bool limited_;                              // the limit is below that
  std::array<Ramp, 2 * kRamps + 1> ramps_{};  // for initial speeds -limit .. limit
  std::array<double, kMaxSteps + 1> coast_;   // displacement in n steps without action, per unit of velocity
  std::array<double, kMaxSteps + 1> budget_;  // sum over n actions of what each displaces by the end
};

}  // namespace paymaster
