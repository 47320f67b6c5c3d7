// The ways of four bodies round what lies between each of them and its target, and the actions that keep to them. Angles
// are carried as cosine and sine, so square roots are all it takes.
#pragma once

#include <limits>

#include "simd/lanes.hpp"
#include "worlds/particles/steering.hpp"

namespace paymaster {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Round an obstacle, speed beside the course counts this much against speed along it. At 1 or more a body at rest that
/// has to leave diagonally would rather stay.
constexpr double kCourse = 0.8;

/// (x, y) in each lane.
struct Pair {
  Lanes x, y;
};

class DetourLanes {
 public:
  DetourLanes(const SteeringTables& tables, const SteeringScene& scene) : t_(tables), scene_(scene) {
    const double near = t_.together * (1 + 0x1p-30);  // rounding does not bring together what is farther apart
    for (int i = 0; i < scene_.obstacles; ++i) {
      for (int j = 0; j < i; ++j) {
        const double x = scene_.obstacle[i][0] - scene_.obstacle[j][0];
        const double y = scene_.obstacle[i][1] - scene_.obstacle[j][1];
        crowded_ |= x * x + y * y < near * near;
      }
    }
  }

  /// The displacement to a target as it would be if the shorter way round were stretched out straight: the straight way,
  /// but for rounding, where nothing is in between.
  Pair round(const Pair& at, const Pair& velocity, const Pair& way) {
    const Lanes length = norm_of(way.x, way.y);
    const Pair ahead{way.x / length, way.y / length};
    find_first(at, ahead, length);
    if (crowded_) join(length);
    Pair best = way;
    Lanes least = all(kInfinity);
    for (const double side : {1.0, -1.0}) {  // left, right
      const Edge edge = crowded_ ? outermost(length, side) : edge_of(first_along_, first_left_, length, side);
      // The way round leads through the point beside the outermost centre.
      const Lanes out = all(side) * edge.radius / most_of(edge.away, all(1e-9));
      const Lanes beside_x = edge.along - edge.left * out, beside_y = edge.left + edge.along * out;
      const Lanes whole = norm_of(beside_x, beside_y) + norm_of(length - beside_x, beside_y);
      const Lanes aside = all(side) * edge.sine;
      const Pair start{ahead.x * edge.cosine - ahead.y * aside, ahead.y * edge.cosine + ahead.x * aside};
      // What the body coasts that way anyhow is for free; so it does not change its mind halfway either.
      const Lanes free = all(t_.coast[Steering::kMaxSteps]) * (start.x * velocity.x + start.y * velocity.y);
      const Mask better = whole - free < least;
      least = select(better, whole - free, least);
      best = {select(better, start.x * whole, best.x), select(better, start.y * whole, best.y)};
    }
    return best;
  }

  /// The action that keeps to a course best, one step ahead.
  Lanes follow(const Pair& course, const Pair& velocity) const {
    const Lanes limit = all(t_.max_speed);
    Lanes best = all(kNoop), most = all(-kInfinity);
    for (int action = 0; action < kParticleActions; ++action) {
      Lanes x = all(1 - kDamping) * velocity.x + all(t_.push * kPush[action][0]);
      Lanes y = all(1 - kDamping) * velocity.y + all(t_.push * kPush[action][1]);
      if (t_.max_speed < kInfinity) {
        const Lanes speed = norm_of(x, y);
        const Lanes kept = select(speed > limit, limit / speed, all(1));
        x = x * kept;
        y = y * kept;
      }
      const Lanes value = x * course.x + y * course.y - all(kCourse) * magnitude(x * course.y - y * course.x);
      best = select(value > most, all(action), best);
      most = most_of(value, most);
    }
    return best;
  }

 private:
  /// One side of an obstacle whose centre lies `along` the straight way and to its `left`.
  struct Edge {
    Lanes along, left, away;  // away: the centre from the body
    Lanes radius;             // of the circle that the way keeps outside of
    Lanes cosine, sine;       // of the angle by which its tangent turns off to that side
    Mask ahead;               // the centre is to that side, so that the angle is not negative
  };

  Edge edge_of(const Lanes& along, const Lanes& left, const Lanes& length, double side) const {
    Edge e{along, left, norm_of(along, left), {}, {}, {}, {}};
    // A target beside an obstacle is not gone round in a wider circle than its own.
    e.radius = least_of(all(t_.berth), norm_of(along - length, left));
    const Mask apart = e.away > all(0);
    const Lanes x = select(apart, along / e.away, all(1)), y = select(apart, all(side) * left / e.away, all(0));
    const Lanes sine = least_of(e.radius / most_of(e.away, all(1e-9)), all(1));
    const Lanes cosine = root((all(1) - sine) * (all(1) + sine));
    e.cosine = x * cosine - y * sine;
    e.sine = y * cosine + x * sine;
    e.ahead = y >= all(0);
    return e;
  }

  /// The obstacle in the way that comes first.
  void find_first(const Pair& at, const Pair& ahead, const Lanes& length) {
    const Lanes berth = all(t_.berth), zero = all(0);
    first_along_ = length;
    first_left_ = first_ = zero;
    for (int i = 0; i < scene_.obstacles; ++i) {
      const Lanes ox = all(scene_.obstacle[i][0]) - at.x, oy = all(scene_.obstacle[i][1]) - at.y;
      const Lanes along = ox * ahead.x + oy * ahead.y, left = oy * ahead.x - ox * ahead.y, beside = magnitude(left);
      const Mask hit = (along > zero) & (along < first_along_) & (beside < berth);
      first_along_ = select(hit, along, first_along_);
      first_left_ = select(hit, left, first_left_);
      first_ = select(hit, all(i), first_);
      if (!crowded_) continue;
      along_[i] = along;
      left_[i] = left;
    }
  }

  /// Obstacles too close together to pass between them are one.
  void join(const Lanes& length) {
    for (int i = 0; i < scene_.obstacles; ++i) wall_[i] = (first_ >= all(i)) & (first_ <= all(i));
    for (bool more = true; more;) {
      more = false;
      for (int i = 0; i < scene_.obstacles; ++i) {
        const Mask open = ~wall_[i] & (along_[i] < length);
        if (bits(open) == 0) continue;
        Mask joined = all(1) < all(0);
        for (int j = 0; j < scene_.obstacles; ++j) {
          if (bits(wall_[j]) == 0) continue;
          joined |= wall_[j] & (norm_of(along_[i] - along_[j], left_[i] - left_[j]) < all(t_.together));
        }
        joined = joined & open;
        more = more || bits(joined) != 0;
        wall_[i] |= joined;
      }
    }
  }

  /// The obstacle of the wall whose tangent turns off farthest to a side.
  Edge outermost(const Lanes& length, double side) const {
    Edge best = edge_of(first_along_, first_left_, length, side);
    Lanes most = turn(best);
    for (int i = 0; i < scene_.obstacles; ++i) {
      if (bits(wall_[i]) == 0) continue;
      const Edge e = edge_of(along_[i], left_[i], length, side);
      const Lanes far = turn(e);
      const Mask farther = wall_[i] & (far > most);
      most = select(farther, far, most);
      best = {select(farther, e.along, best.along),
              select(farther, e.left, best.left),
              select(farther, e.away, best.away),
              select(farther, e.radius, best.radius),
              select(farther, e.cosine, best.cosine),
              select(farther, e.sine, best.sine),
              best.ahead};
    }
    return best;
  }

  /// A number that grows with the edge's angle, from more than -2 right behind to 3 at one and a half times that.
  static Lanes turn(const Edge& e) {
    const Lanes zero = all(0), two = all(2), part = e.sine / (magnitude(e.cosine) + magnitude(e.sine));
    const Mask up = e.sine >= zero;
    const Lanes found = select(e.cosine >= zero, part, select(up, two - part, all(-2) - part));
    return select(e.ahead & ~up, found + all(4), found);  // beyond a half turn
  }

  const SteeringTables& t_;
  const SteeringScene& scene_;
  bool crowded_ = false;  // some obstacles may be too close together to pass between them
  Lanes first_{}, first_along_{}, first_left_{};
  // Where obstacles are crowded:
  Lanes along_[kMaxObstacles], left_[kMaxObstacles];
  Mask wall_[kMaxObstacles];
};

}  // namespace
}  // namespace paymaster
