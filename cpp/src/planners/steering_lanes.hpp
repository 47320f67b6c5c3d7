// Steering::steer_all, four bodies at a time: which target is whose, the estimate and the action. Ways round obstacles,
// which few need, are found four at a time whatever their bodies and targets. steering.cpp compiles this for every
// processor, avx2_steering.cpp for AVX2.
#pragma once

#include "detour_lanes.hpp"
#include "lanes.hpp"
#include "paymaster/planners/steering.hpp"

namespace paymaster {
namespace {

class SteeringLanes {
 public:
  SteeringLanes(const SteeringTables& tables, const SteeringScene& scene)
      : t_(tables), scene_(scene), diagonal_(all(tables.diagonal)) {}

  void run(std::int16_t (*steps)[kMaxGoals], std::uint8_t (*action)[kMaxGoals]) {
    for (int first = 0; first < scene_.bodies; first += kLanes) {
      load(first);
      Lanes nearest[kMaxGoals];
      const unsigned present = find_nearest(nearest);
      if (scene_.target_velocity != nullptr) steer<true>(nearest, present, steps + first, action + first);
      else steer<false>(nearest, present, steps + first, action + first);
    }
  }

 private:
  /// A way to the nearest target of a type.
  struct Way {
    Pair aim;                    // displacement to the target, or the way round stretched out straight
    Pair lead[Steering::kLead];  // what the target moves in 1, 2, .. steps, if it moves
    Mask round;                  // bodies that go round an obstacle, and
    Lanes push;                  // their actions
  };

  static Pair gather(const double (*rows)[2], const Lanes& row) {
    Pair found;
    look_up_rows(rows, row, found.x, found.y);
    return found;
  }

  /// Four bodies; where fewer are left, the last one again.
  void load(int first) {
    used_ = scene_.bodies - first < kLanes ? scene_.bodies - first : kLanes;
    Lanes rows = all(0);
    for (int i = 0; i < kLanes; ++i) rows[i] = first + (i < used_ ? i : used_ - 1);
    at_ = gather(scene_.position, rows);
    velocity_ = gather(scene_.velocity, rows);
  }

  /// Index of the nearest target of each type, the first of equals; the types that there are, a bit each.
  unsigned find_nearest(Lanes* nearest) const {
    Lanes least[kMaxGoals];  // squares
    for (int type = 0; type < scene_.types; ++type) {
      least[type] = all(kInfinity);
      nearest[type] = all(0);
    }
    unsigned present = 0;
    for (int i = 0; i < scene_.targets; ++i) {
      const int type = scene_.target_type[i];
      const Lanes x = at_.x - all(scene_.target[i][0]), y = at_.y - all(scene_.target[i][1]);
      const Lanes square = x * x + y * y;
      nearest[type] = select(square < least[type], all(i), nearest[type]);
      least[type] = select(square < least[type], square, least[type]);
      present |= 1u << type;
    }
    return present;
  }

  template <bool kMoving>
  void steer(const Lanes* nearest, unsigned present, std::int16_t (*steps)[kMaxGoals],
             std::uint8_t (*action)[kMaxGoals]) {
    Way way[kMaxGoals];
    std::uint32_t blocked = 0;  // kLanes bits a type
    for (unsigned left = present; left != 0; left &= left - 1) {
      const int type = first_bit(left);
      blocked |= set_out<kMoving>(nearest[type], way[type]) << type * kLanes;
    }
    if (blocked != 0) go_round<kMoving>(way, blocked);
    for (int i = 0; i < used_; ++i) {
      for (int type = 0; type < scene_.types; ++type) {
        steps[i][type] = kNone;
        action[i][type] = kNoop;
      }
    }
    for (unsigned left = present; left != 0; left &= left - 1) {
      const int type = first_bit(left);
      const Lanes n = arrival<kMoving>(way[type].aim, way[type].lead);
      std::int32_t estimate[kLanes], push[kLanes];
      store_whole(n, estimate);
      store_whole(select(way[type].round, way[type].push, direct_action(n)), push);
      for (int i = 0; i < used_; ++i) {
        steps[i][type] = static_cast<std::int16_t>(estimate[i] - 1);
        action[i][type] = static_cast<std::uint8_t>(push[i]);
      }
    }
  }

  /// The straight way; the bodies that have to go round, a bit each.
  template <bool kMoving>
  unsigned set_out(const Lanes& nearest, Way& way) const {
    const Pair to = gather(scene_.target, nearest);
    way.aim = {to.x - at_.x, to.y - at_.y};
    if constexpr (kMoving) {
      const Pair running = gather(scene_.target_velocity, nearest);
      lead_axis(&Pair::x, to, running, way.lead);
      lead_axis(&Pair::y, to, running, way.lead);
    }
    way.round = blocked(way.aim);
    way.push = all(kNoop);
    return bits(way.round) & ((1u << used_) - 1);
  }

  /// Some obstacle is in the way: its centre beside it, nearer than the berth.
  Mask blocked(const Pair& way) const {
    const Lanes square = way.x * way.x + way.y * way.y, beside = all(t_.berth * t_.berth) * square, zero = all(0);
    Mask found = square < zero;
    for (int i = 0; i < scene_.obstacles; ++i) {  // lengths times that of the way
      const Lanes ox = all(scene_.obstacle[i][0]) - at_.x, oy = all(scene_.obstacle[i][1]) - at_.y;
      const Lanes along = ox * way.x + oy * way.y, left = oy * way.x - ox * way.y;
      found |= (along > zero) & (along < square) & (left * left < beside);
    }
    return found;
  }

  /// Turns the ways that are blocked into ways round, four at a time.
  template <bool kMoving>
  void go_round(Way* way, std::uint32_t blocked) const {
    DetourLanes detour(t_, scene_);
    while (blocked != 0) {
      int body[kLanes], type[kLanes], count = 0;
      Pair at{all(0), all(0)}, velocity = at, aim{all(1), all(0)};
      for (; blocked != 0 && count < kLanes; blocked &= blocked - 1, ++count) {
        const int bit = first_bit(blocked), lane = bit % kLanes;
        body[count] = lane;
        type[count] = bit / kLanes;
        at.x[count] = at_.x[lane];
        at.y[count] = at_.y[lane];
        velocity.x[count] = velocity_.x[lane];
        velocity.y[count] = velocity_.y[lane];
        aim.x[count] = way[type[count]].aim.x[lane];
        aim.y[count] = way[type[count]].aim.y[lane];
      }
      const Pair course = detour.round(at, velocity, aim);
      const Lanes push = detour.follow(course, velocity);
      for (int i = 0; i < count; ++i) {
        Way& turned = way[type[i]];
        turned.aim.x[body[i]] = course.x[i];
        turned.aim.y[body[i]] = course.y[i];
        turned.push[body[i]] = push[i];
        if constexpr (kMoving)
          for (Pair& moved : turned.lead) moved.x[body[i]] = moved.y[body[i]] = 0;
      }
    }
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

  /// The first number of steps that may do, and a rougher bound below it.
  struct Candidate {
    Lanes steps, rough;
  };

  Candidate steps_of_budget(const Lanes& needed, const Lanes& speed) const {
    const Lanes most = all(Steering::kMaxSteps), per_step = all(t_.per_step), first = needed * per_step;
    // Both are too few, the second by less: coasting goes on.
    const Lanes gain = (all(t_.terminal) - speed) * per_step;
    const Lanes second = first + gain * look_up(t_.coast, least_of(most_of(first, all(0)), most));
    const Lanes steps = first + gain * look_up(t_.coast, least_of(most_of(second, all(0)), most));
    const Mask at_once = (needed <= all(0)) | (speed >= all(t_.terminal));
    return {select(at_once, all(1), next_whole(steps)), select(at_once, all(1), next_whole(second))};
  }

  Lanes steps_of_limit(const Lanes& needed, const Lanes& speed) const {
    const Lanes limit = all(t_.max_speed);
    const Lanes part = most_of(least_of(speed / limit, all(1)), all(-1));
    const Lanes where = (part + all(1)) * all(Steering::kRamps);
    const Lanes i = least_of(rounded_down(where), all(2 * Steering::kRamps - 1));
    const Lanes low = look_up(t_.ramp_loss, i), high = look_up(t_.ramp_loss + 1, i);
    const Lanes loss = low + (where - i) * (high - low);
    const Lanes steps = (needed + loss) / all(t_.max_speed * kTimeStep);
    return select(steps < look_up(t_.ramp_steps, i), all(1), next_whole(steps));
  }

  static Lanes next_whole(const Lanes& steps) {
    const Lanes most = all(Steering::kMaxSteps);
    return least_of(rounded_down(least_of(most_of(steps, all(0)), most)) + all(1), most);
  }

  Candidate first_candidate(const Lanes& x, const Lanes& y) const {
    const Lanes zero = all(0), vx = velocity_.x, vy = velocity_.y, reach = all(t_.reach);
    const Lanes along_axes = select(x < zero, -vx, vx) + select(y < zero, -vy, vy);
    const Candidate least = steps_of_budget(magnitude(x) + magnitude(y) - diagonal_, along_axes);
    if (!t_.limited) return least;
    const Lanes distance = norm_of(x, y);
    const Mask far = distance > reach;
    const Lanes speed = select(far, (x * vx + y * vy) / distance, zero);
    const Lanes limited = steps_of_limit(distance - reach, speed);
    return {select(far, most_of(least.steps, limited), least.steps),
            select(far, most_of(least.rough, limited), least.rough)};
  }

  /// The estimate; what is then missing goes to missing_.
  template <bool kMoving>
  Lanes arrival(const Pair& aim, const Pair* lead) {
    const Lanes zero = all(0), one = all(1), two = all(2), most = all(Steering::kMaxSteps);
    Pair ahead = aim;
    if constexpr (kMoving) ahead = {aim.x + lead[Steering::kLead - 1].x, aim.y + lead[Steering::kLead - 1].y};
    const Candidate first = first_candidate(ahead.x, ahead.y);
    Lanes n = first.steps, coast, budget;
    if constexpr (kMoving) n = select(first.rough <= all(Steering::kLead), one, n);  // the target is not there yet
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
      const Lanes tip = most_of(a, b) - budget;
      const Mask side = two * less >= beyond, corner = tip * tip + less * less < all(t_.reach * t_.reach);
      const Mask done = (n >= most) | (beyond <= zero) | ((beyond < diagonal_) & (side | corner));
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

  const SteeringTables& t_;
  const SteeringScene& scene_;
  Lanes diagonal_;
  int used_ = 0;  // lanes with a body of their own
  Pair at_{}, velocity_{}, missing_{};
};

}  // namespace
}  // namespace paymaster
