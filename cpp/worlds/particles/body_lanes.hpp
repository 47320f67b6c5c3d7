// A step of the bodies in float64, four at a time: forces of actions and contacts, then the motion. particles.cpp
// compiles this for every processor, avx2_bodies.cpp for AVX2.
#pragma once

#include <cmath>

#include "simd/lanes.hpp"
#include "worlds/particles/listening.hpp"
#include "worlds/particles/physics.hpp"

namespace paymaster {
namespace {

class BodyLanes {
 public:
  using Vector = double[2];

  BodyLanes(const BodyRows& rows, Vector* position, Vector* velocity, const std::uint8_t* actions)
      : r_(rows), position_(position), velocity_(velocity), actions_(actions) {}

  void step() {
    set_up_rest();
    for (int first = 0; first < r_.count; first += kLanes) line_up(first);
    // Rows of four against columns of sixteen, so that a word holds who hears whom. Every body's contacts come in the
    // order of its partners, which is that of mpe2's sums.
    for (int row = 0; row < r_.count; row += kLanes) {
      for (int column = row / kColumns * kColumns; column < r_.count; column += kColumns) {
        for (std::uint64_t heard = earshot(row, column); heard != 0; heard &= heard - 1) {
          const int bit = first_bit(heard);
          touch(row + bit / kColumns, column + bit % kColumns);
        }
      }
    }
    for (int first = 0; first < r_.count; first += kLanes) move(first);
  }

 private:
  static constexpr int kColumns = 16;

  /// Positions, velocities and actions of bodies first..first+3.
  struct Four {
    Vector *position, *velocity;
    const std::uint8_t* action;
  };

  /// The last bodies, where they do not fill four lanes, and nothing beside them.
  void set_up_rest() {
    const int whole = r_.count / kLanes * kLanes;
    for (int i = 0; i < kLanes && whole != r_.count; ++i) {
      const bool there = whole + i < r_.count;
      for (int axis = 0; axis < 2; ++axis) {
        rest_position_[i][axis] = there ? position_[whole + i][axis] : 0;
        rest_velocity_[i][axis] = there ? velocity_[whole + i][axis] : 0;
      }
      rest_action_[i] = there ? actions_[whole + i] : std::uint8_t{kNoop};
    }
  }

  Four four(int first) {
    if (first + kLanes <= r_.count) return {position_ + first, velocity_ + first, actions_ + first};
    return {rest_position_, rest_velocity_, rest_action_};
  }

  Mask moves(int first) const { return load(r_.moves + first) > all(0); }

  /// The forces of the actions, and how far each body hears.
  void line_up(int first) {
    const Four f = four(first);
    const Mask moving = moves(first), collides = load(r_.collides + first) > all(0);
    const Lanes zero = all(0), nowhere = all(std::numeric_limits<double>::infinity());
    const Lanes action = load_bytes(f.action), push = load(r_.acceleration + first);
    const auto along = [&](int back, int forth) {
      return select(moving, select(action == all(forth), push, select(action == all(back), -push, zero)), zero);
    };
    const Lanes force_x = along(kLeft, kRight), force_y = along(kDown, kUp);
    Lanes x, y, velocity_x, velocity_y;
    load_pairs(f.position, x, y);
    load_pairs(f.velocity, velocity_x, velocity_y);
    store(select(collides, x, nowhere), h_.x + first);
    store(select(collides, y, nowhere), h_.y + first);
    store_pairs(force_x, force_y, h_.force + first);
    listen(h_, first, force_x, force_y, select(moving, velocity_x, zero), select(moving, velocity_y, zero), moving);
  }

  /// Of bodies row..row+3, sixteen bits each: which of the sixteen from `column` on, behind it in the order, it hears or
  /// is heard by.
  std::uint64_t earshot(int row, int column) const {
    const int end = r_.count < column + kColumns ? r_.count : column + kColumns;
    const int begin = row > column ? row : column;
    std::uint64_t heard = 0;
    for (int j = begin; j < end; j += kLanes) {
      const Lanes x = load(h_.x + j), y = load(h_.y + j), size = load(r_.size + j), range = load(h_.range + j);
      const auto of_row = [&](int i) {
        const Lanes away_x = all(h_.x[row + i]) - x, away_y = all(h_.y[row + i]) - y;
        const Lanes far = all(r_.size[row + i]) + size + most_of(all(h_.range[row + i]), range);
        return std::uint64_t{bits(away_x * away_x + away_y * away_y <= far * far)} << i * kColumns;
      };
      heard |= (of_row(0) | of_row(1) | of_row(2) | of_row(3)) << (j - column);
    }
    if (row < column) return heard;
    // Only what comes behind oneself: four words of ones, shifted by one more each.
    constexpr std::uint64_t kBehind = 0xfff0'fff8'fffc'fffe;
    const int ahead = row - column;
    return heard & (kBehind << ahead) & ((0xffffu << ahead & 0xffffu) * 0x0001'0001'0001'0001u);
  }

  /// Two bodies push each other away, as far as each listens.
  void touch(int i, int j) {
    if (h_.range[i] < 0 && h_.range[j] < 0) return;  // neither moves
    const double x = h_.x[i] - h_.x[j], y = h_.y[i] - h_.y[j];
    const double distance = std::sqrt(x * x + y * y), apart = distance - (r_.size[i] + r_.size[j]);
    const Contact<double> contact(x, y, distance, apart, 1);
    const double pushes[] = {contact.x, contact.y, -contact.x, -contact.y};
    const Lanes by = load(pushes);
    const Mask heard = all(apart) <= halves(h_.range[i], h_.range[j]);
    const Lanes force = load_halves(h_.force[i], h_.force[j]), sum = by + force, size = magnitude(sum);
    const Lanes least = load_halves(h_.least[i], h_.least[j]), most = load_halves(h_.most[i], h_.most[j]);
    store_halves(select(heard, sum, force), h_.force[i], h_.force[j]);
    store_halves(select(heard, least_of(least, size), least), h_.least[i], h_.least[j]);
    store_halves(select(heard, most_of(most, size), most), h_.most[i], h_.most[j]);
  }

  /// All contacts of one body, within its range or not.
  void listen_again(int body) {
    const std::uint8_t action = actions_[body];
    double force_x = kPush[action][0] * r_.acceleration[body], force_y = kPush[action][1] * r_.acceleration[body];
    for (int j = 0; j < r_.count; ++j) {
      const double x = h_.x[body] - h_.x[j], y = h_.y[body] - h_.y[j];
      const double touching = r_.size[body] + r_.size[j], far = (touching + kSilent<double>)*(1 + 0x1p-30);
      if (!(x * x + y * y <= far * far) || j == body) continue;  // most are, and need no square root
      const double distance = std::sqrt(x * x + y * y), apart = distance - touching;
      if (apart > kSilent<double>) continue;
      const Contact<double> contact(x, y, distance, apart, body < j ? 1 : -1);
      force_x = contact.x + force_x;
      force_y = contact.y + force_y;
    }
    h_.force[body][0] = force_x;
    h_.force[body][1] = force_y;
  }

  /// The motion of bodies first..first+3, once it is sure what pushes them.
  void move(int first) {
    const Four f = four(first);
    const Mask moving = moves(first);
    const Lanes zero = all(0), dt = all(kTimeStep), limit = load(r_.max_speed + first);
    Lanes x, y, velocity_x, velocity_y;
    load_pairs(f.position, x, y);
    load_pairs(f.velocity, velocity_x, velocity_y);
    const unsigned doubts =
        uncertain(h_, first, select(moving, velocity_x, zero), select(moving, velocity_y, zero)) & bits(moving);
    for (unsigned left = doubts; left != 0; left &= left - 1) listen_again(first + first_bit(left));
    Lanes force_x, force_y;
    load_pairs(h_.force + first, force_x, force_y);
    Lanes next_x = velocity_x * all(1 - kDamping) + force_x * dt;
    Lanes next_y = velocity_y * all(1 - kDamping) + force_y * dt;
    const Lanes speed = norm_of(next_x, next_y);
    const Mask fast = speed > limit;
    next_x = select(fast, next_x / speed * limit, next_x);
    next_y = select(fast, next_y / speed * limit, next_y);
    // The position moves before the velocity.
    store_pairs(select(moving, x + velocity_x * dt, x), select(moving, y + velocity_y * dt, y), f.position);
    store_pairs(select(moving, next_x, velocity_x), select(moving, next_y, velocity_y), f.velocity);
    if (f.position != rest_position_) return;
    for (int i = 0; first + i < r_.count; ++i) {
      for (int axis = 0; axis < 2; ++axis) {
        position_[first + i][axis] = rest_position_[i][axis];
        velocity_[first + i][axis] = rest_velocity_[i][axis];
      }
    }
  }

  const BodyRows& r_;
  Vector *position_, *velocity_;
  const std::uint8_t* actions_;
  Vector rest_position_[kLanes], rest_velocity_[kLanes];
  std::uint8_t rest_action_[kLanes];
  Hearing h_;
};

}  // namespace
}  // namespace paymaster
