// The search of maps with at most 128 cells for four target sets at once, over any representation of four lanes of 64
// bits; lane q belongs to target set q.
//
// Eight vectors, for each heading one of the even and one of the odd cells, hold the poses that are at most n actions
// away from facing a target. One level costs 34 instructions for all four sets: a move is a shift (bitboard.hpp), a turn
// unites headings. Every level is kept for a while, so a follower's distance is the number of levels without its pose,
// which is counted without branches, and its first action is read off the level before.
//
// A policy V has a type Lanes of four lanes and a type Count of shift counts, and
//   V::all(value), V::load(words), V::store(words, lanes), V::count(n)
//   V::up(lanes, count), V::up1(lanes), V::down(lanes, count), V::down1(lanes)      each lane shifted
//   V::unite, V::common, V::add                                                     lane by lane
//   V::same(a, b)                     all ones in the lanes that are equal, 0 in the others
//   V::full(lanes)                    every bit is set
#pragma once

#include <cstdint>

#include "game/types.hpp"
#include "worlds/grid/limits.hpp"
#include "worlds/grid/map.hpp"

namespace paymaster {

/// What all of a group of at most four queries share, and the queries. Boards are pairs of words as in Board<2>.
struct LaneQueries {
  int followers = 0;  // at most 16
  const std::uint16_t* cell = nullptr;
  const std::uint8_t* heading = nullptr;
  const std::uint64_t* empty = nullptr;
  int columns = 0;
  const int* ahead = nullptr;
  std::uint64_t targets[2][4];  // even cells, odd cells; unused lanes are empty
  std::uint64_t asked[4];       // bit k: follower k's route to the lane's targets
  std::uint8_t goal[4];         // results go to distance[k][goal], action[k][goal]
};

/// OddColumns: the map's columns are odd in number. Slots: followers there is room for.
template <class V, bool OddColumns, int Slots>
class LaneSearch {
 public:
  LaneSearch(LaneQueries& queries, std::int16_t (*distance)[kGridGoals], std::uint8_t (*action)[kGridGoals])
      : q_(queries),
        distance_(distance),
        action_(action),
        less_(V::count(q_.columns / 2)),
        more_(V::count(q_.columns / 2 + 1)) {}

  void run() {
    begin();
    for (int before = 0;; before += kLevels - 1) {
      const int last = advance();
      resolve(before, last);
      if ((q_.asked[0] | q_.asked[1] | q_.asked[2] | q_.asked[3]) == 0) return;
      if (unchanged(last)) break;
      for (int k = 0; k < q_.followers; ++k) ask(k);
    }
    for (int lane = 0; lane < 4; ++lane) {
      for (int k = 0; k < q_.followers; ++k) {
        if (!(q_.asked[lane] >> k & 1)) continue;
        distance_[k][q_.goal[lane]] = kNone;
        action_[k][q_.goal[lane]] = kStop;
      }
    }
  }

 private:
  using Lanes = typename V::Lanes;
  struct Cells {
    Lanes even, odd;
  };
  static constexpr int kLevels = 16;  // kept at a time; few routes are longer
  static constexpr int kVector = 4;   // words

  /// Where a cell is in a level: which vector of heading h (times its words), and which bit.
  static int vector_of(int cell, int heading) { return (2 * heading + (cell & 1)) * kVector; }

  static Cells common(const Cells& a, const Cells& b) { return {V::common(a.even, b.even), V::common(a.odd, b.odd)}; }
  static Cells unite(const Cells& a, const Cells& b) { return {V::unite(a.even, b.even), V::unite(a.odd, b.odd)}; }

  /// The cells from which one move in direction H leads into `c`.
  template <int H>
  Cells before(const Cells& c) const {
    if constexpr (H == 0) {
      if constexpr (OddColumns) return {V::up(c.odd, more_), V::up(c.even, less_)};
      else return {V::up(c.even, less_), V::up(c.odd, less_)};
    } else if constexpr (H == 1) {
      return {V::up1(c.odd), c.even};
    } else if constexpr (H == 2) {
      if constexpr (OddColumns) return {V::down(c.odd, less_), V::down(c.even, more_)};
      else return {V::down(c.even, less_), V::down(c.odd, less_)};
    } else {
      return {c.odd, V::down1(c.even)};
    }
  }

  /// Level 0, where the followers' poses are, and which of them are asked for.
  void begin() {
    std::uint64_t room[2] = {q_.empty[0], q_.empty[1]};
    for (int k = q_.followers; k < Slots; ++k) {
      at_[k] = 0;
      pose_[k] = V::all(0);
    }
    for (int k = 0; k < q_.followers; ++k) {
      const int cell = q_.cell[k];
      room[cell & 1] |= std::uint64_t{1} << (cell >> 1);
      at_[k] = vector_of(cell, q_.heading[k]);
      ask(k);
    }
    // A follower's own cell is free to itself; nobody's shortest route comes back to its own cell, so it is enough that
    // nobody moves into a follower's cell (from where the search, which runs backwards, would have to go on).
    const Cells empty{V::all(q_.empty[0]), V::all(q_.empty[1])}, free{V::all(room[0]), V::all(room[1])};
    const Cells targets{V::load(q_.targets[0]), V::load(q_.targets[1])};
    const auto start = [&]<int H>(Cells& reached) {
      reached = common(before<H>(targets), free);
      may_move_[H] = common(before<H>(empty), free);
    };
    start.template operator()<0>(poses_.up);
    start.template operator()<1>(poses_.left);
    start.template operator()<2>(poses_.down);
    start.template operator()<3>(poses_.right);
  }

  /// The poses of each heading.
  struct Poses {
    Cells up, left, down, right;
  };

  /// Adds the poses that are one action earlier.
  void step(Poses& p) const {
    const Cells vertical = unite(p.up, p.down), level = unite(p.left, p.right);
    p.up = unite(unite(common(before<0>(p.up), may_move_[0]), p.up), level);
    p.down = unite(unite(common(before<2>(p.down), may_move_[2]), p.down), level);
    p.left = unite(unite(common(before<1>(p.left), may_move_[1]), p.left), vertical);
    p.right = unite(unite(common(before<3>(p.right), may_move_[3]), p.right), vertical);
  }

  static void keep(const Poses& p, std::uint64_t* level) {
    const auto put = [&](int h, const Cells& c) {
      V::store(level + 2 * h * kVector, c.even);
      V::store(level + (2 * h + 1) * kVector, c.odd);
    };
    put(0, p.up);
    put(1, p.left);
    put(2, p.down);
    put(3, p.right);
  }

  /// Fills level_ until every pose asked for is reached or there is no more room. Returns the last level; levels_with_
  /// then counts, negatively, the levels that have each follower's pose.
  int advance() {
    Poses poses = poses_;
    Lanes with[Slots];
    for (int k = 0; k < Slots; ++k) with[k] = V::all(0);
    int last = 0;
    for (;; ++last) {
      std::uint64_t* level = level_[last];
      keep(poses, level);
      Lanes reached = V::all(~std::uint64_t{0});
      for (int k = 0; k < Slots; ++k) {
        const Lanes here = V::same(V::common(V::load(level + at_[k]), pose_[k]), pose_[k]);
        with[k] = V::add(with[k], here);
        reached = V::common(reached, here);
      }
      if (V::full(reached) || last == kLevels - 1) break;
      step(poses);
    }
    poses_ = poses;
    for (int k = 0; k < Slots; ++k) V::store(levels_with_[k], with[k]);
    return last;
  }

  /// Writes the routes of the poses that have been reached, and asks for them no longer.
  void resolve(int before, int last) {
    std::uint64_t asked[4];  // copies: bytes are written, which could be these for all a compiler knows
    std::uint8_t goal[4];
    for (unsigned lane = 0; lane < 4; ++lane) {
      asked[lane] = q_.asked[lane];
      goal[lane] = q_.goal[lane];
    }
    for (int k = 0; k < q_.followers; ++k) {
      const int cell = q_.cell[k], heading = q_.heading[k], next = cell + q_.ahead[heading];
      // Others' cells are reached too, but cannot be entered.
      const std::uint64_t one = std::uint64_t{1} << k, here = std::uint64_t{1} << (cell >> 1),
                          there = q_.empty[next & 1] & std::uint64_t{1} << (next >> 1);
      const std::uint64_t* moved = level_[0] + vector_of(next, heading);
      const std::uint64_t* turned = level_[0] + vector_of(cell, (heading + 1) & 3);
      for (unsigned lane = 0; lane < 4; ++lane) {
        if (!(asked[lane] & one)) continue;
        const auto with = -static_cast<std::int64_t>(levels_with_[k][lane]);
        if (with == 0) continue;
        asked[lane] ^= one;
        const auto at = last + 1 - with;
        // Of the three actions, in the order of preference, the first that leads closer; one of them does. Arithmetic,
        // because which one it is cannot be predicted.
        const auto closer = (at - (at > 0)) * (8 * kVector) + lane;
        const int by_move = (moved[closer] & there) != 0, by_left = (turned[closer] & here) != 0;
        const int first = (kTurnRight - by_left) & (by_move - 1);
        const auto length = before + at;
        distance_[k][goal[lane]] = static_cast<std::int16_t>(length);
        action_[k][goal[lane]] = static_cast<std::uint8_t>(length == 0 ? int{kDig} : first);
      }
    }
    for (unsigned lane = 0; lane < 4; ++lane) q_.asked[lane] = asked[lane];
  }

  /// The follower's own bit in the lanes whose routes are asked for.
  void ask(int k) {
    const Lanes one = V::all(std::uint64_t{1} << k), bit = V::all(std::uint64_t{1} << (q_.cell[k] >> 1));
    pose_[k] = V::common(V::same(V::common(V::load(q_.asked), one), one), bit);
  }

  /// The last level has no pose that the one before it did not have.
  bool unchanged(int last) const {
    for (int i = 0; i < 8 * kVector; ++i) {
      if (level_[last][i] != level_[last - 1][i]) return false;
    }
    return true;
  }

  LaneQueries& q_;
  std::int16_t (*distance_)[kGridGoals];
  std::uint8_t (*action_)[kGridGoals];
  typename V::Count less_, more_;  // half of the columns, rounded down, and one more
  Poses poses_;
  Cells may_move_[4];  // cells in which a move forward ends on an empty cell
  int at_[Slots];
  Lanes pose_[Slots];
  alignas(32) std::uint64_t levels_with_[Slots][4];
  alignas(32) std::uint64_t level_[kLevels][8 * kVector];
};

/// The routes of up to four queries; asked is used up.
template <class V>
void lane_routes(LaneQueries& queries, std::int16_t (*distance)[kGridGoals], std::uint8_t (*action)[kGridGoals]) {
  const bool odd = queries.columns % 2 == 1;
  if (queries.followers <= 4) {
    if (odd) LaneSearch<V, true, 4>(queries, distance, action).run();
    else LaneSearch<V, false, 4>(queries, distance, action).run();
  } else if (queries.followers <= 8) {
    if (odd) LaneSearch<V, true, 8>(queries, distance, action).run();
    else LaneSearch<V, false, 8>(queries, distance, action).run();
  } else {
    if (odd) LaneSearch<V, true, 16>(queries, distance, action).run();
    else LaneSearch<V, false, 16>(queries, distance, action).run();
  }
}

}  // namespace paymaster
