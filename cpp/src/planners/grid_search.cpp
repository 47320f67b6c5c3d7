#include "paymaster/planners/grid_search.hpp"

#include "avx2_search.hpp"
#include "paymaster/planners/pose_search.hpp"

namespace paymaster {
namespace {

template <int W>
Board<W> shifted_ahead(const Board<W>& cells, int heading, int columns) {
  switch (heading & 3) {
    case 0: return cells.down(columns);
    case 1: return cells.down(1);
    case 2: return cells.up(columns);
    default: return cells.up(1);
  }
}

/// Sets of poses as plain boards, for any number of words and any processor.
template <int W>
struct PlainPoses {
  using Cells = Board<W>;
  using Set = std::array<Cells, 4>;

  template <class F>
  static Set each(F&& f) {
    return {f(0u), f(1u), f(2u), f(3u)};
  }
  static Set none() { return Set{}; }
  static Set everywhere(const Cells& c) { return {c, c, c, c}; }
  static Set facing(const Cells& c, int columns) {
    return each([&](unsigned h) { return shifted_ahead(c, static_cast<int>(h) + 2, columns); });
  }
  static Set one(int cell, int heading) {
    Set set{};
    set[static_cast<unsigned>(heading)].set(cell);
    return set;
  }
  static Set forward(const Set& s, int columns) {
    return each([&](unsigned h) { return shifted_ahead(s[h], static_cast<int>(h), columns); });
  }
  static Set backward(const Set& s, int columns) {
    return each([&](unsigned h) { return shifted_ahead(s[h], static_cast<int>(h) + 2, columns); });
  }
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
  static bool any(const Set& s) { return (s[0] | s[1] | s[2] | s[3]).any(); }
  static bool meet(const Set& a, const Set& b) { return any(common(a, b)); }
  static bool has(const Set& s, int cell, int heading) { return s[static_cast<unsigned>(heading)].test(cell); }
};

}  // namespace

template <int W>
void GridSearch<W>::distances(int followers, const std::uint16_t* cell, const std::uint8_t* heading,
                              const Board<W>& empty, const Board<W>* targets, unsigned wanted,
                              std::int16_t (*distance)[kMaxGoals]) const {
  if constexpr (W == 2) {
    if (has_avx2()) {
      // A board of 128 cells is two words, so an array of boards is an array of pairs.
      static_assert(sizeof(Board<2>) == 16);
      return avx2_distances(followers, cell, heading, empty.word.data(), columns_, targets->word.data(), wanted,
                            distance);
    }
  }
  pose_distances<PlainPoses<W>>(followers, cell, heading, empty, columns_, targets, wanted, distance);
}

template <int W>
GridAction GridSearch<W>::first_action(int cell, int heading, const Board<W>& free, const Board<W>& targets,
                                       int distance) const {
  if constexpr (W == 2) {
    if (has_avx2())
      return avx2_first_action(cell, heading, free.word.data(), columns_, ahead_.data(), targets.word.data(), distance);
  }
  return pose_first_action<PlainPoses<W>>(cell, heading, free, columns_, ahead_.data(), targets, distance);
}

template <int W>
void GridSearch<W>::path(int cell, int heading, const Board<W>& free, const Board<W>& targets, int distance,
                         std::uint8_t* actions, std::vector<Poses>& frontiers) const {
  using P = PlainPoses<W>;
  const auto length = static_cast<std::size_t>(distance);
  if (frontiers.size() < length) frontiers.resize(length);
  // frontiers[n]: the poses that are n actions away from facing a target.
  Poses unvisited = P::everywhere(free);
  for (std::size_t n = 0; n < length; ++n) {
    const Poses before = n == 0 ? P::facing(targets, columns_)
                                : P::unite(P::backward(frontiers[n - 1], columns_), P::turned(frontiers[n - 1]));
    frontiers[n] = P::common(before, unvisited);
    unvisited = P::without(unvisited, frontiers[n]);
  }
  for (std::size_t left = length; left > 0; --left) {
    const GridAction action = pose_action_into<P>(frontiers[left - 1], cell, heading, ahead_.data());
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
