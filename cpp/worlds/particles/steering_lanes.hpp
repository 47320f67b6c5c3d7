// Steering::steer_all, four bodies at a time: which target is whose, the estimate and the action. Ways round obstacles,
// which few need, are found four at a time whatever their bodies and targets. steering.cpp compiles this for every
// processor, avx2_steering.cpp for AVX2. One file of 300 lines, since it is one computation whose stages share registers.
#pragma once

#include "simd/lanes.hpp"
#include "worlds/particles/detour_lanes.hpp"
#include "worlds/particles/steering.hpp"

namespace paymaster {
namespace {

class SteeringLanes {
 public:
  SteeringLanes(const SteeringTables& tables, const SteeringScene& scene) : t_(tables), scene_(scene) {}

  void run(std::int16_t (*steps)[kParticleGoals], std::uint8_t (*action)[kParticleGoals]) {
    for (int first = 0; first < scene_.bodies; first += kLanes) {
      load(first);
      if (scene_.target_velocity != nullptr) steer<true>(steps + first, action + first);
      else steer<false>(steps + first, action + first);
    }
  }

 private:
  /// A way to the nearest target of a type.
  struct Way {
    int type;
    Pair aim;                     // displacement to the target, or the way round stretched out straight
    Pair there[Steering::kLead];  // the same to where the target is in 1, 2, .. steps, if it moves
    Mask round;                   // bodies that go round an obstacle, and
    Lanes push;                   // their actions
    Lanes steps;                  // the estimate
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
    for (int i = 0; i < scene_.obstacles; ++i)
      obstacle_[i] = {all(scene_.obstacle[i][0]) - at_.x, all(scene_.obstacle[i][1]) - at_.y};
  }

  struct Nearest {
    Lanes square, index;
  };

  /// The nearest target of each type, the first of equals; the types that there are, a bit each.
  unsigned find_nearest(Nearest* nearest) const {
    for (int type = 0; type < scene_.types; ++type) nearest[type] = {all(kInfinity), all(0)};
    unsigned present = 0;
    for (int i = 0; i < scene_.targets; ++i) {
      const int type = scene_.target_type[i];
      const Lanes x = at_.x - all(scene_.target[i][0]), y = at_.y - all(scene_.target[i][1]);
      const Lanes square = x * x + y * y;
      const Mask nearer = square < nearest[type].square;
      nearest[type] = {select(nearer, square, nearest[type].square), select(nearer, all(i), nearest[type].index)};
      present |= 1u << type;
    }
    return present;
  }

  /// All types go through each stage before the next begins: what one waits for, the others do not.
  template <bool kMoving>
  void steer(std::int16_t (*steps)[kParticleGoals], std::uint8_t (*action)[kParticleGoals]) const {
    Nearest nearest[kParticleGoals];
    const unsigned present = find_nearest(nearest);
    Way ways[kParticleGoals];
    int count = 0;
    std::uint32_t blocked = 0;  // kLanes bits a way
    for (unsigned left = present; left != 0; left &= left - 1, ++count) {
      ways[count].type = first_bit(left);
      blocked |= set_out<kMoving>(nearest[ways[count].type].index, ways[count]) << count * kLanes;
    }
    if (blocked != 0) go_round<kMoving>(ways, blocked);
    for (int i = 0; i < count; ++i) ways[i].steps = first_candidate<kMoving>(ways[i]);
    for (int i = 0; i < count; ++i) arrive<kMoving>(ways[i]);
    for (int type = 0; type < scene_.types; ++type)
      if (!(present >> type & 1)) put(all(kNone), all(kNoop), type, steps, action);
    for (int i = 0; i < count; ++i) {
      const Lanes push = select(ways[i].round, ways[i].push, direct_action<kMoving>(ways[i]));
      put(ways[i].steps - all(1), push, ways[i].type, steps, action);
    }
  }

  void put(const Lanes& before, const Lanes& push, int type, std::int16_t (*steps)[kParticleGoals],
           std::uint8_t (*action)[kParticleGoals]) const {
    std::int32_t whole[2][kLanes];
    store_whole(before, whole[0]);
    store_whole(push, whole[1]);
    const auto row = [&](int i) {
      steps[i][type] = static_cast<std::int16_t>(whole[0][i]);
      action[i][type] = static_cast<std::uint8_t>(whole[1][i]);
    };
    if (used_ == kLanes)
      for (int i = 0; i < kLanes; ++i) row(i);
    else
      for (int i = 0; i < used_; ++i) row(i);
  }

  /// The straight way; the bodies that have to go round, a bit each.
  template <bool kMoving>
  unsigned set_out(const Lanes& nearest, Way& way) const {
    const Pair to = gather(scene_.target, nearest);
    way.aim = {to.x - at_.x, to.y - at_.y};
    if constexpr (kMoving) {
      const Pair running = gather(scene_.target_velocity, nearest);
      lead_axis(&Pair::x, to, running, way);
      lead_axis(&Pair::y, to, running, way);
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
      const Pair o = obstacle_[i];
      const Lanes along = o.x * way.x + o.y * way.y, left = o.y * way.x - o.x * way.y;
      found |= (along > zero) & (along < square) & (left * left < beside);
    }
    return found;
  }

  /// Turns the ways that are blocked into ways round, four at a time.
  template <bool kMoving>
  void go_round(Way* ways, std::uint32_t blocked) const {
    DetourLanes detour(t_, scene_);
    while (blocked != 0) {
      int body[kLanes], of[kLanes], count = 0;
      Pair at{all(0), all(0)}, velocity = at, aim{all(1), all(0)};
      for (; blocked != 0 && count < kLanes; blocked &= blocked - 1, ++count) {
        const int bit = first_bit(blocked), lane = bit % kLanes;
        body[count] = lane;
        of[count] = bit / kLanes;
        at.x[count] = at_.x[lane];
        at.y[count] = at_.y[lane];
        velocity.x[count] = velocity_.x[lane];
        velocity.y[count] = velocity_.y[lane];
        aim.x[count] = ways[of[count]].aim.x[lane];
        aim.y[count] = ways[of[count]].aim.y[lane];
      }
      const Pair course = detour.round(at, velocity, aim);
      const Lanes push = detour.follow(course, velocity);
      for (int i = 0; i < count; ++i) {
        Way& turned = ways[of[i]];
        const auto lead = [&](Pair& to) {
          to.x[body[i]] = course.x[i];
          to.y[body[i]] = course.y[i];
        };
        lead(turned.aim);
        turned.push[body[i]] = push[i];
        if constexpr (kMoving)
          for (Pair& there : turned.there) lead(there);
      }
    }
  }

  /// there[n - 1]: `aim` and what a target moves along an axis in n steps.
  void lead_axis(Lanes Pair::* axis, const Pair& target, const Pair& velocity, Way& way) const {
    const Lanes at = target.*axis, border = all(t_.border);
    const Mask inside = magnitude(at) <= border;
    for (int n = 1; n <= Steering::kLead; ++n) {
      const Lanes next = at + all(n) * (velocity.*axis) * all(kTimeStep);
      const Mask reflected = inside & (magnitude(next) > border);
      way.there[n - 1].*axis =
          way.aim.*axis + (select(reflected, signed_as(all(2 * t_.border), next) - next, next) - at);
    }
  }

  /// The displacement to a target that has left off moving: farther ahead its course is anybody's guess.
  template <bool kMoving>
  static const Pair& ahead(const Way& way) {
    return kMoving ? way.there[Steering::kLead - 1] : way.aim;
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
    Lanes low, high, ramp;
    look_up_rows(t_.ramp, i, low, high, ramp);
    const Lanes loss = low + (where - i) * (high - low);
    const Lanes steps = (needed + loss) / all(t_.max_speed * kTimeStep);
    return select(steps < ramp, all(1), next_whole(steps));
  }

  static Lanes next_whole(const Lanes& steps) {
    const Lanes most = all(Steering::kMaxSteps);
    return least_of(rounded_down(least_of(most_of(steps, all(0)), most)) + all(1), most);
  }

  template <bool kMoving>
  Lanes first_candidate(const Way& way) const {
    const Lanes x = ahead<kMoving>(way).x, y = ahead<kMoving>(way).y;
    const Lanes zero = all(0), vx = velocity_.x, vy = velocity_.y, reach = all(t_.reach);
    const Lanes along_axes = select(x < zero, -vx, vx) + select(y < zero, -vy, vy);
    Candidate least = steps_of_budget(magnitude(x) + magnitude(y) - all(t_.diagonal), along_axes);
    if (t_.limited) {
      const Lanes distance = norm_of(x, y);
      const Mask far = distance > reach;
      const Lanes speed = select(far, (x * vx + y * vy) / distance, zero);
      const Lanes limited = steps_of_limit(distance - reach, speed);
      least = {select(far, most_of(least.steps, limited), least.steps),
               select(far, most_of(least.rough, limited), least.rough)};
    }
    if constexpr (!kMoving) return least.steps;
    return select(least.rough <= all(Steering::kLead), all(1), least.steps);  // the target is not there yet
  }

  /// Whether n steps bring a body there, or n is the most.
  Mask enough(const Pair& there, const Lanes& n) const {
    const Lanes zero = all(0), two = all(2);
    Lanes coast, budget;
    look_up_rows(t_.after, n, coast, budget);
    const Lanes x = there.x - coast * velocity_.x, y = there.y - coast * velocity_.y;
    // What n actions can add is a diamond: is the missing point within reach of it, of a side or of a corner?
    const Lanes a = magnitude(x), b = magnitude(y), beyond = a + b - budget, less = least_of(a, b);
    const Lanes tip = most_of(a, b) - budget;
    const Mask side = two * less >= beyond, corner = tip * tip + less * less < all(t_.reach * t_.reach);
    return (n >= all(Steering::kMaxSteps)) | (beyond <= zero) | ((beyond < all(t_.diagonal)) & (side | corner));
  }

  /// From the first candidate to the estimate. Three numbers are tried at once, which is nearly always enough, and is
  /// faster than to wait for what each of them says.
  template <bool kMoving>
  void arrive(Way& way) const {
    const Lanes one = all(1);
    Lanes n = way.steps;
    for (;;) {
      const Lanes second = n + one, third = second + one;
      Pair now = ahead<kMoving>(way), next = now;
      if constexpr (kMoving) {
        const Mask at_one = n <= one;
        now = there_at(way, n);
        next = {select(at_one, way.there[1].x, next.x), select(at_one, way.there[1].y, next.y)};
      }
      const Mask a = enough(now, n), b = a | enough(next, second), c = b | enough(ahead<kMoving>(way), third);
      n = select(a, n, select(b, second, select(c, third, third + one)));
      if (bits(c) == (1u << kLanes) - 1) break;
    }
    way.steps = n;
  }

  /// Where the target is in n steps.
  static Pair there_at(const Way& way, const Lanes& n) {
    const Mask at_one = n <= all(1), at_two = n <= all(2);
    return {select(at_one, way.there[0].x, select(at_two, way.there[1].x, way.there[2].x)),
            select(at_one, way.there[0].y, select(at_two, way.there[1].y, way.there[2].y))};
  }

  /// The action where nothing is in between.
  template <bool kMoving>
  Lanes direct_action(const Way& way) const {
    Lanes coast, budget, half_push;
    look_up_rows(t_.after, way.steps, coast, budget, half_push);
    Pair there = way.aim;
    if constexpr (kMoving) there = there_at(way, way.steps);
    const Lanes x = there.x - coast * velocity_.x, y = there.y - coast * velocity_.y, zero = all(0);
    const Lanes a = magnitude(x), b = magnitude(y);
    const Lanes along_x = select(x > zero, all(kRight), all(kLeft)), along_y = select(y > zero, all(kUp), all(kDown));
    return select(most_of(a, b) > half_push, select(a >= b, along_x, along_y), all(kNoop));
  }

  const SteeringTables& t_;
  const SteeringScene& scene_;
  int used_ = 0;  // lanes with a body of their own
  Pair at_{}, velocity_{};
  Pair obstacle_[kMaxObstacles];  // from the bodies
};

}  // namespace
}  // namespace paymaster
