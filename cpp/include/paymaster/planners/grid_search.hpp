// Shortest routes on the grid: breadth-first search over (cell, heading), all poses at one distance at once.
//
// A pose is a cell and a heading; `move`, `turn left`, `turn right` cost one step each. The search keeps one bit board
// per heading and advances them together. Plans are those of a queue-based search that tries `move`, `turn left`,
// `turn right` in this order (M3RL): among the shortest paths it plays the one whose first action comes first in that
// order, because a queue keeps the descendants of an earlier first action ahead of the others.
#pragma once

#include <array>
#include <vector>

#include "paymaster/bitboard.hpp"
#include "paymaster/grid_map.hpp"
#include "paymaster/types.hpp"

namespace paymaster {

/// Searches from several followers to the same target sets, for maps of 64 W cells. On maps of at most 128 cells the
/// implementation is chosen at run time: AVX2 where the processor has it. All give the same results.
template <int W>
class GridSearch {
 public:
  using Poses = std::array<Board<W>, 4>;  // the cells of each heading

  explicit GridSearch(const GridMap& map) : columns_(map.columns), ahead_(map.ahead) {}

  /// distance[k][g] = actions before digging from follower k's pose to target set g; -1 where unreachable or where
  /// bit g of `wanted` is not set. `targets` holds kMaxGoals sets. `empty` holds the cells nobody stands on; a follower's own cell counts as free to it.
  void distances(int followers, const std::uint16_t* cell, const std::uint8_t* heading, const Board<W>& empty,
                 const Board<W>* targets, unsigned wanted, std::int16_t (*distance)[kMaxGoals]) const;

  /// The first action of the shortest route to `targets`, known to be `distance` >= 1 actions away. `free` includes
  /// the follower's own cell.
  GridAction first_action(int cell, int heading, const Board<W>& free, const Board<W>& targets, int distance) const;

  /// The whole route whose first action that is: actions[0 .. distance - 1]. One search, and as many look-ups as
  /// actions; `frontiers` is memory that calls may share, it grows to the longest distance.
  void path(int cell, int heading, const Board<W>& free, const Board<W>& targets, int distance, std::uint8_t* actions,
            std::vector<Poses>& frontiers) const;

 private:
  int columns_;
  std::array<int, 4> ahead_;
};

}  // namespace paymaster
