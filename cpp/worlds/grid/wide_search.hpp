// The search of maps with more than 128 cells, one target set at a time, over any representation of four lanes of 64 bits
// (lane_search.hpp); lanes are four words of a board behind each other.
//
// A level takes as many words as the map has, not as its type has room for, and the four headings are spread in place: so
// the cost of a search is that of cells times levels.
#pragma once

#include <cstdint>

#include "game/types.hpp"
#include "worlds/grid/limits.hpp"
#include "worlds/grid/map.hpp"

namespace paymaster {

/// What all queries of a situation share. Boards are as in bitboard.hpp: `half` words of even cells, then those of odd ones.
struct WideScene {
  int followers = 0;
  const std::uint16_t* cell = nullptr;
  const std::uint8_t* heading = nullptr;
  const std::uint64_t* empty = nullptr;  // cells that nobody stands on
  const std::uint64_t* free = nullptr;   // and those of followers
  int half = 0, cells = 0, columns = 0;
  const int* ahead = nullptr;
};

template <class V>
class WideSearch {
 public:
  explicit WideSearch(const WideScene& scene) : s_(scene), words_((scene.cells + 511) / 512 * 4) {
    for (int parity = 0; parity < 2; ++parity) {
      fill(empty_[parity], s_.empty + parity * s_.half);
      fill(free_[parity], s_.free + parity * s_.half);
      for (int h = 0; h < 4; ++h) {
        // Shifts read a little beside the words in use.
        for (int i = 0; i < kBeside; ++i) moving_[h][parity][i] = moving_[h][parity][kBeside + words_ + i] = 0;
      }
    }
  }

  /// The routes of the followers that ask (bit k) to one of the targets, into column `goal`; bits that stay are unreachable.
  std::uint32_t routes(const std::uint64_t* targets, std::uint32_t asked, int goal,
                       std::int16_t (*distance)[kGridGoals], std::uint8_t (*action)[kGridGoals]) {
    bool more = begin(targets);
    for (std::int16_t length = 0; asked != 0 && more; ++length) {
      for (int k = 0; k < s_.followers; ++k) {
        if (!(asked >> k & 1) || !at(frontier_[now_], s_.heading[k], s_.cell[k])) continue;
        distance[k][goal] = length;
        action[k][goal] = length == 0 ? kDig : action_into(s_.cell[k], s_.heading[k]);
        asked &= ~(1u << k);
      }
      if (asked != 0) more = step();
    }
    return asked;
  }

 private:
  using Lanes = typename V::Lanes;
  static constexpr int kMost = GridMap::kMaxCells / 128;  // words of a half
  static constexpr int kBeside = 4;                       // a row is at most 255 cells, that is 128 bits of a half
  static_assert(GridMap::kMaxSide < 256);
  using Poses = std::uint64_t[4][2][kMost];  // of each heading, even and odd cells

  void fill(std::uint64_t* words, const std::uint64_t* half) const {
    for (int i = 0; i < words_; ++i) words[i] = i < s_.half ? half[i] : 0;
  }

  static bool test(const std::uint64_t* words, int cell) { return words[cell >> 7] >> (cell >> 1 & 63) & 1; }
  static bool at(const Poses& poses, int heading, int cell) { return test(poses[heading][cell & 1], cell); }

  /// Level 0: the poses that face a target.
  bool begin(const std::uint64_t* targets) {
    now_ = 0;
    for (int parity = 0; parity < 2; ++parity) {
      for (int h = 0; h < 4; ++h) {
        fill(moving_[h][parity] + kBeside, targets + parity * s_.half);
        for (int i = 0; i < words_; ++i) {
          unvisited_[h][parity][i] = free_[parity][i];
          frontier_[1][h][parity][i] = 0;
        }
      }
    }
    return spread(frontier_[1], frontier_[0]);
  }

  /// One action earlier. Followers' cells are reached, and nobody moves on through them.
  bool step() {
    const Poses& frontier = frontier_[now_];
    for (int h = 0; h < 4; ++h) {
      for (int parity = 0; parity < 2; ++parity) {
        for (int i = 0; i < words_; i += 4)
          V::store(moving_[h][parity] + kBeside + i,
                   V::common(V::load(frontier[h][parity] + i), V::load(empty_[parity] + i)));
      }
    }
    now_ ^= 1;
    return spread(frontier, frontier_[now_]);
  }

  /// From the poses that have just been reached, and those of them that may be moved into, to the next; whether there are
  /// any.
  bool spread(const Poses& from, Poses& to) {
    Lanes any = V::all(0);
    const int row = s_.columns / 2, odd = s_.columns & 1;
    for (int parity = 0; parity < 2; ++parity) {
      // A move up or left came from a cell of a higher index, one down or right from one of a lower. (bitboard.hpp)
      const int across = parity ^ odd, other = parity ^ 1;
      any = V::unite(any, turn_or_move<true>(moving_[0][across], row + (odd & other), 0, parity, from, to));
      any = V::unite(any, turn_or_move<true>(moving_[1][other], other, 1, parity, from, to));
      any = V::unite(any, turn_or_move<false>(moving_[2][across], row + (odd & parity), 2, parity, from, to));
      any = V::unite(any, turn_or_move<false>(moving_[3][other], parity, 3, parity, from, to));
    }
    std::uint64_t found[4];
    V::store(found, any);
    return (found[0] | found[1] | found[2] | found[3]) != 0;
  }

  template <bool kUp>
  Lanes turn_or_move(const std::uint64_t* moving, int bits, int heading, int parity, const Poses& from, Poses& to) {
    const std::uint64_t *left = from[(heading + 1) & 3][parity], *right = from[(heading + 3) & 3][parity];
    const std::uint64_t* near = moving + kBeside + (kUp ? -(bits >> 6) : bits >> 6);
    const std::uint64_t* far = near + (kUp ? -1 : 1);
    std::uint64_t *unvisited = unvisited_[heading][parity], *next = to[heading][parity];
    const auto shift = V::count(bits & 63), rest = V::count(63 - (bits & 63));
    Lanes any = V::all(0);
    for (int i = 0; i < words_; i += 4) {
      const Lanes a = V::load(near + i), b = V::load(far + i), open = V::load(unvisited + i);
      const Lanes moved = kUp ? V::unite(V::up(a, shift), V::down(V::down1(b), rest))
                              : V::unite(V::down(a, shift), V::up(V::up1(b), rest));
      const Lanes reached = V::common(V::unite(moved, V::unite(V::load(left + i), V::load(right + i))), open);
      V::store(next + i, reached);
      V::store(unvisited + i, V::without(open, reached));
      any = V::unite(any, reached);
    }
    return any;
  }

  /// Of the three actions, in the order of preference, the first that leads closer; one of them does.
  GridAction action_into(int cell, int heading) const {
    const Poses& closer = frontier_[now_ ^ 1];
    const int next = cell + s_.ahead[heading];
    if (at(closer, heading, next) && test(empty_[next & 1], next)) return kMove;
    return at(closer, (heading + 1) & 3, cell) ? kTurnLeft : kTurnRight;
  }

  const WideScene& s_;
  int words_;  // of a half, in fours
  int now_ = 0;
  std::uint64_t empty_[2][kMost], free_[2][kMost];
  Poses frontier_[2], unvisited_;
  std::uint64_t moving_[4][2][kMost + 2 * kBeside];  // poses of the frontier that may be moved into
};

/// A query: target cells, who asks, where the answers go.
struct WideQuery {
  const std::uint64_t* targets;
  std::uint32_t asked;
  int goal;
};

/// The answers to some queries.
template <class V>
void wide_routes(const WideScene& scene, const WideQuery* queries, int count, std::int16_t (*distance)[kGridGoals],
                 std::uint8_t (*action)[kGridGoals]) {
  WideSearch<V> search(scene);
  for (const WideQuery* query = queries; query != queries + count; ++query) {
    const std::uint32_t left = search.routes(query->targets, query->asked, query->goal, distance, action);
    for (int k = 0; k < scene.followers; ++k) {
      if (!(left >> k & 1)) continue;
      distance[k][query->goal] = kNone;
      action[k][query->goal] = kStop;
    }
  }
}

}  // namespace paymaster
