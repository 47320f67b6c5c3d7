#include "worlds/grid/search.hpp"

#include <algorithm>

#include "simd/processor.hpp"
#include "worlds/grid/avx2_search.hpp"

namespace paymaster {
namespace {

/// Four lanes on any processor; compilers make of it what the target has.
struct PlainLanes {
  struct Lanes {
    std::uint64_t lane[4];
  };
  using Count = int;

  template <class F>
  static Lanes each(F&& f) {
    Lanes out;
    for (int i = 0; i < 4; ++i) out.lane[i] = f(i);
    return out;
  }
  static Lanes all(std::uint64_t value) { return {{value, value, value, value}}; }
  static Count count(int n) { return n; }
  static Lanes load(const std::uint64_t* words) {
    return each([&](int i) { return words[i]; });
  }
  static void store(std::uint64_t* words, const Lanes& a) { std::copy_n(a.lane, 4, words); }
  static Lanes up(const Lanes& a, Count n) {
    return each([&](int i) { return a.lane[i] << n; });
  }
  static Lanes up1(const Lanes& a) { return up(a, 1); }
  static Lanes down(const Lanes& a, Count n) {
    return each([&](int i) { return a.lane[i] >> n; });
  }
  static Lanes down1(const Lanes& a) { return down(a, 1); }
  static Lanes unite(const Lanes& a, const Lanes& b) {
    return each([&](int i) { return a.lane[i] | b.lane[i]; });
  }
  static Lanes common(const Lanes& a, const Lanes& b) {
    return each([&](int i) { return a.lane[i] & b.lane[i]; });
  }
  static Lanes without(const Lanes& a, const Lanes& b) {
    return each([&](int i) { return a.lane[i] & ~b.lane[i]; });
  }
  static Lanes add(const Lanes& a, const Lanes& b) {
    return each([&](int i) { return a.lane[i] + b.lane[i]; });
  }
  static Lanes same(const Lanes& a, const Lanes& b) {
    return each([&](int i) { return a.lane[i] == b.lane[i] ? ~std::uint64_t{0} : 0; });
  }
  static bool full(const Lanes& a) { return (a.lane[0] & a.lane[1] & a.lane[2] & a.lane[3]) == ~std::uint64_t{0}; }
};

/// Sets of poses as boards of any number of words, one board a heading.
template <int W>
struct BoardPoses {
  using Cells = Board<W>;
  using Set = std::array<Cells, 4>;

  static Cells shifted(const Cells& cells, unsigned heading, int columns) {
    switch (heading & 3) {
      case 0: return cells.down(columns);
      case 1: return cells.down(1);
      case 2: return cells.up(columns);
      default: return cells.up(1);
    }
  }
  template <class F>
  static Set each(F&& f) {
    return {f(0u), f(1u), f(2u), f(3u)};
  }
  static Set everywhere(const Cells& c) { return {c, c, c, c}; }
  /// The poses from which a cell of the board lies straight ahead.
  static Set facing(const Cells& c, int columns) { return before(everywhere(c), columns); }
  /// One `move` earlier.
  static Set before(const Set& s, int columns) {
    return each([&](unsigned h) { return shifted(s[h], h + 2, columns); });
  }
  /// One turn later or earlier.
  static Set turned(const Set& s) {
    return each([&](unsigned h) { return s[(h + 1) & 3] | s[(h + 3) & 3]; });
  }
  static Set unite(const Set& a, const Set& b) {
    return each([&](unsigned h) { return a[h] | b[h]; });
  }
  static Set common(const Set& a, const Set& b) {
    return each([&](unsigned h) { return a[h] & b[h]; });
  }
  static Set without(const Set& a, const Set& b) {
    return each([&](unsigned h) { return a[h] - b[h]; });
  }

  /// Of the three actions, in the order of preference, the first that leads into `closer`; one of them does.
  static GridAction action_into(const Set& closer, int cell, unsigned heading, const Cells& empty,
                                const std::array<int, 4>& ahead) {
    const int next = cell + ahead[heading];
    if (closer[heading].test(next) && empty.test(next)) return kMove;
    return closer[(heading + 1) & 3].test(cell) ? kTurnLeft : kTurnRight;
  }
};

}  // namespace

template <int W>
void GridSearch<W>::routes(int followers, const std::uint16_t* cell, const std::uint8_t* heading, const Board<W>& empty,
                           const GridQuery<W>* queries, int count, std::int16_t (*distance)[kGridGoals],
                           std::uint8_t (*action)[kGridGoals]) const {
  if constexpr (W == 2) {
    const auto search = has_avx2() ? avx2_routes : lane_routes<PlainLanes>;
    LaneQueries lanes;
    lanes.followers = followers;
    lanes.cell = cell;
    lanes.heading = heading;
    lanes.empty = empty.word.data();
    lanes.columns = columns_;
    lanes.ahead = ahead_.data();
    for (int first = 0; first < count; first += 4) {
      for (int lane = 0; lane < 4; ++lane) {
        const bool used = first + lane < count;
        const GridQuery<W>& query = queries[used ? first + lane : first];
        lanes.targets[0][lane] = query.targets.word[0];
        lanes.targets[1][lane] = query.targets.word[1];
        lanes.asked[lane] = used ? query.asked : 0;
        lanes.goal[lane] = static_cast<std::uint8_t>(query.goal);
      }
      search(lanes, distance, action);
    }
  } else {
    Board<W> free = empty;
    for (int k = 0; k < followers; ++k) free.set(cell[k]);
    WideScene scene;
    scene.followers = followers;
    scene.cell = cell;
    scene.heading = heading;
    scene.empty = empty.word.data();
    scene.free = free.word.data();
    scene.half = Board<W>::kHalf;
    scene.cells = cells_;
    scene.columns = columns_;
    scene.ahead = ahead_.data();
    WideQuery wide[kGridGoals];
    for (int first = 0; first < count; first += kGridGoals) {
      const int some = std::min(count - first, kGridGoals);
      for (int i = 0; i < some; ++i) {
        const GridQuery<W>& query = queries[first + i];
        wide[i] = {query.targets.word.data(), query.asked, query.goal};
      }
      const auto search = has_avx2() ? avx2_wide_routes : wide_routes<PlainLanes>;
      search(scene, wide, some, distance, action);
    }
  }
}

template <int W>
void GridSearch<W>::path(int cell, int heading, const Board<W>& free, const Board<W>& targets, int distance,
                         std::uint8_t* actions, std::vector<Poses>& frontiers) const {
  using P = BoardPoses<W>;
  const auto length = static_cast<std::size_t>(distance);
  if (frontiers.size() < length) frontiers.resize(length);
  // frontiers[n]: the poses that are n actions away from facing a target.
  Poses unvisited = P::everywhere(free);
  for (std::size_t n = 0; n < length; ++n) {
    const Poses before = n == 0 ? P::facing(targets, columns_)
                                : P::unite(P::before(frontiers[n - 1], columns_), P::turned(frontiers[n - 1]));
    frontiers[n] = P::common(before, unvisited);
    unvisited = P::without(unvisited, frontiers[n]);
  }
  for (std::size_t left = length; left > 0; --left) {
    const GridAction action = P::action_into(frontiers[left - 1], cell, static_cast<unsigned>(heading), free, ahead_);
    if (action == kMove) cell += ahead_[static_cast<unsigned>(heading)];
    else heading = (heading + (action == kTurnLeft ? 1 : 3)) & 3;
    *actions++ = action;
  }
}

template class GridSearch<2>;
template class GridSearch<4>;
template class GridSearch<8>;
template class GridSearch<16>;
template class GridSearch<64>;

}  // namespace paymaster
