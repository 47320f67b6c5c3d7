// Steering::steer_all, four bodies at a time: which target is whose, the estimate and the action. Only the way round an
// obstacle is left to Steering, body by body. steering.cpp compiles this for every processor, avx2_steering.cpp for AVX2.
#pragma once

#include <limits>

#include "lanes.hpp"
#include "paymaster/planners/steering.hpp"

namespace paymaster {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

class SteeringLanes {
 public:
  SteeringLanes(const Steering& planner, const SteeringTables& tables, const SteeringScene& scene)
      : planner_(planner), t_(tables), scene_(scene), diagonal_(all(tables.diagonal)) {}

  void run(std::int16_t (*steps)[kMaxGoals], std::uint8_t (*action)[kMaxGoals]) {
    for (int first = 0; first < scene_.bodies; first += kLanes) {
      load(first);
      Lanes nearest[kMaxGoals];
      const unsigned present = find_nearest(nearest);
      for (int type = 0; type < scene_.types; ++type) {
        std::int32_t estimate[kLanes] = {0, 0, 0, 0}, push[kLanes] = {kNoop, kNoop, kNoop, kNoop};
        if (present >> type & 1) {
          if (scene_.target_velocity != nullptr) steer<true>(nearest[type], estimate, push);
          else steer<false>(nearest[type], estimate, push);
        }
        for (int i = 0; i < used_; ++i) {  // without a target the estimate is kNone + 1
          steps[first + i][type] = static_cast<std::int16_t>(estimate[i] - 1);
          action[first + i][type] = static_cast<std::uint8_t>(push[i]);
        }
      }
    }
  }

 private:
  struct Pair {
    Lanes x, y;
  };

  static Pair gather(const double (*rows)[2], const Lanes& row) {
    Pair found;
    look_up_rows(rows, row, found.x, found.y);
    return found;
  }

  /// Four bodies; where fewer are left, the last one again.
  void load(int first) {
    used_ = scene_.bodies - first < kLanes ? scene_.bodies - first : kLanes;
    for (int i = 0; i < kLanes; ++i) body_[i] = first + (i < used_ ? i : used_ - 1);
    Lanes rows = all(0);
    for (int i = 0; i < kLanes; ++i) rows[i] = body_[i];
    at_ = gather(scene_.position, rows);
    velocity_ = gather(scene_.velocity, rows);
  }

  /// Index of the nearest target of each type, the first of equals; the types that there are, a bit each.
  unsigned find_nearest(Lanes* nearest) const {
    Lanes least[kMaxGoals];  // squares
    for (int type = 0; type < scene_.types; ++type) least[type] = all(kInfinity);
    unsigned present = 0;
    for (int i = 0; i < scene_.targets; ++i) {
      const int type = scene_.target_type[i];
      const Lanes x = at_.x - all(scene_.target[i][0]), y = at_.y - all(scene_.target[i][1]);
      const Lanes square = x * x + y * y;
      nearest[type] = present >> type & 1 ? select(square < least[type], all(i), nearest[type]) : all(i);
      least[type] = select(square < least[type], square, least[type]);
      present |= 1u << type;
    }
    return present;
  }

  template <bool kMoving>
  void steer(const Lanes& nearest, std::int32_t* estimate, std::int32_t* push) {
    const Pair to = gather(scene_.target, nearest);
    Pair aim{to.x - at_.x, to.y - at_.y};
    Pair lead[Steering::kLead];
    if constexpr (kMoving) {
      const Pair running = gather(scene_.target_velocity, nearest);
      lead_axis(&Pair::x, to, running, lead);
      lead_axis(&Pair::y, to, running, lead);
    }
    unsigned round = scene_.obstacles > 0 ? bits(blocked(aim)) & ((1u << used_) - 1) : 0;
    for (int i = 0; i < used_ && round >> i != 0; ++i) {
      if (!(round >> i & 1)) continue;
      if (!detour(i, aim)) round &= ~(1u << i);
      else if constexpr (kMoving)
        for (Pair& moved : lead) moved.x[i] = moved.y[i] = 0;
    }
    const Lanes steps = arrival<kMoving>(aim, lead);
    store_whole(steps, estimate);
    store_whole(direct_action(steps), push);
    for (int i = 0; i < used_ && round >> i != 0; ++i) {
      if (!(round >> i & 1)) continue;
      const double course[2] = {aim.x[i], aim.y[i]};
      push[i] = planner_.follow(course, scene_.velocity[body_[i]]);
    }
  }

  /// Some obstacle is in the way.
  Mask blocked(const Pair& way) const {
    const Lanes length = norm_of(way.x, way.y), x = way.x / length, y = way.y / length, berth = all(t_.berth);
    Mask found = length < all(0);
    for (int i = 0; i < scene_.obstacles; ++i) {
      const Lanes ox = all(scene_.obstacle[i][0]) - at_.x, oy = all(scene_.obstacle[i][1]) - at_.y;
      const Lanes along = ox * x + oy * y, left = oy * x - ox * y, beside = magnitude(left);
      found |= (along > all(0)) & (along < length) & (beside < berth) & (beside < norm_of(along - length, left));
    }
    return found;
  }

  /// Turns a lane's way to the target into the way round; whether there is one.
  bool detour(int i, Pair& aim) const {
    double way[2] = {aim.x[i], aim.y[i]};
    const double* velocity = scene_.velocity[body_[i]];
    const bool found = planner_.detour(scene_.position[body_[i]], velocity, way, scene_.obstacle, scene_.obstacles);
    aim.x[i] = way[0];
    aim.y[i] = way[1];
    return found;
  }

  /// lead[n - 1]: what a target moves along an axis in n steps.
  void lead_axis(Lanes Pair::* axis, const Pair& target, const Pair& velocity, Pair* lead) const {
    const Lanes at = target.*axis, border = all(t_.border);
    const Mask inside = magnitude(at) <= border;
    for (int n = 1; n <= Steering::kLead; ++n) {
      const Lanes next = at + all(n) * (velocity.*axis) * all(kTimeStep);
      const Mask reflected = inside & (magnitude(next) > border);
      lead[n - 1].*axis = select(reflected, signed_as(all(2 * t_.border), next) - next, next) - at;
    }
  }

  Lanes steps_of_budget(const Lanes& needed, const Lanes& speed) const {
    const Lanes most = all(Steering::kMaxSteps), per_step = all(t_.per_step), first = needed * per_step;
    const Lanes coast = look_up(t_.coast, least_of(most_of(first, all(0)), most));
    const Lanes steps = first + (all(t_.terminal) - speed) * coast * per_step;
    const Lanes found = least_of(rounded_down(least_of(most_of(steps, all(0)), most)) + all(1), most);
    return select((needed <= all(0)) | (speed >= all(t_.terminal)), all(1), found);
  }

  Lanes steps_of_limit(const Lanes& needed, const Lanes& speed) const {
    const Lanes most = all(Steering::kMaxSteps), limit = all(t_.max_speed);
    const Lanes part = most_of(least_of(speed / limit, all(1)), all(-1));
    const Lanes where = (part + all(1)) * all(Steering::kRamps);
    const Lanes i = least_of(rounded_down(where), all(2 * Steering::kRamps - 1));
    const Lanes low = look_up(t_.ramp_loss, i), high = look_up(t_.ramp_loss + 1, i);
    const Lanes loss = low + (where - i) * (high - low);
    const Lanes steps = (needed + loss) / all(t_.max_speed * kTimeStep);
    const Lanes found = least_of(rounded_down(least_of(most_of(steps, all(0)), most)) + all(1), most);
    return select(steps < look_up(t_.ramp_steps, i), all(1), found);
  }

  Lanes first_candidate(const Lanes& x, const Lanes& y) const {
    const Lanes zero = all(0), vx = velocity_.x, vy = velocity_.y, reach = all(t_.reach);
    const Lanes along_axes = select(x < zero, -vx, vx) + select(y < zero, -vy, vy);
    const Lanes least = steps_of_budget(magnitude(x) + magnitude(y) - diagonal_, along_axes);
    if (!t_.limited) return least;
    const Lanes distance = norm_of(x, y);
    const Mask far = distance > reach;
    const Lanes speed = select(far, (x * vx + y * vy) / distance, zero);
    return select(far, most_of(least, steps_of_limit(distance - reach, speed)), least);
  }

  /// The estimate; what is then missing goes to missing_.
  template <bool kMoving>
  Lanes arrival(const Pair& aim, const Pair* lead) {
    const Lanes zero = all(0), one = all(1), two = all(2), most = all(Steering::kMaxSteps);
    Pair ahead = aim;
    if constexpr (kMoving) ahead = {aim.x + lead[Steering::kLead - 1].x, aim.y + lead[Steering::kLead - 1].y};
    Lanes n = first_candidate(ahead.x, ahead.y), coast, budget;
    n = select(n <= all(Steering::kLead), one, n);  // the target is not there yet
    for (;;) {
      Pair there = ahead;
      if (kMoving && bits(n <= two) != 0) {
        there.x = select(n <= one, aim.x + lead[0].x, select(n <= two, aim.x + lead[1].x, ahead.x));
        there.y = select(n <= one, aim.y + lead[0].y, select(n <= two, aim.y + lead[1].y, ahead.y));
      }
      look_up_rows(t_.coast_and_budget, n, coast, budget);
      missing_ = {there.x - coast * velocity_.x, there.y - coast * velocity_.y};
      // What n actions can add is a diamond: is the missing point within reach of it, of a side or of a corner?
      const Lanes a = magnitude(missing_.x), b = magnitude(missing_.y), beyond = a + b - budget, less = least_of(a, b);
      const Mask near = beyond < diagonal_;
      Mask done = (n >= most) | (beyond <= zero) | (near & (two * less >= beyond));
      const Mask corner = near & ~done;
      if (bits(corner) != 0) done |= corner & (norm_of(most_of(a, b) - budget, less) < all(t_.reach));
      if (bits(done) == (1u << kLanes) - 1) return n;
      n = n + select(done, zero, one);
    }
  }

  /// The action where nothing is in between.
  Lanes direct_action(const Lanes& steps) const {
    const Lanes x = missing_.x, y = missing_.y, zero = all(0);
    const Lanes push = all(t_.push) * look_up(t_.coast, most_of(steps - all(1), all(2)));
    const Lanes a = magnitude(x), b = magnitude(y);
    const Lanes along_x = select(x > zero, all(kRight), all(kLeft)), along_y = select(y > zero, all(kUp), all(kDown));
    return select(most_of(a, b) > all(0.5) * push, select(a >= b, along_x, along_y), all(kNoop));
  }

  const Steering& planner_;
  const SteeringTables& t_;
  const SteeringScene& scene_;
  Lanes diagonal_;
  int used_ = 0;  // lanes with a body of their own
  int body_[kLanes] = {};
  Pair at_{}, velocity_{}, missing_{};
};

}  // namespace
}  // namespace paymaster
