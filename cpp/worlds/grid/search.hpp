// Route planner of the grid: breadth-first search over poses (cell, heading), on bitboards.
//
// Turning and moving forward are shifts of whole sets of poses, so one level of the search costs a few instructions for
// all cells together. The search runs backwards from the targets, which gives the routes of all followers at once. Plans
// are those of a queue-based search that tries `move`, `turn left`, `turn right` in this order (M3RL): among the shortest
// paths it plays the one whose first action comes first in that order, because a queue keeps the descendants of an
// earlier first action ahead of the others. The search itself: lane_search.hpp (at most 128 cells), wide_search.hpp (larger
// maps); search.cpp chooses.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "game/types.hpp"
#include "worlds/grid/bitboard.hpp"
#include "worlds/grid/limits.hpp"
#include "worlds/grid/map.hpp"

namespace paymaster {

/// What some followers want to know: their routes to the nearest of these cells.
template <int W>
struct GridQuery {
  Board<W> targets;     // cells that cannot be entered
  std::uint32_t asked;  // bit k: follower k asks
  int goal;             // where the answers go
};

/// Searches from target sets to followers, for maps of 64 W cells. On maps of at most 128 cells, which answer four queries
/// at a time, the implementation is chosen at run time: AVX2 where the processor has it. All give the same results.
template <int W>
class GridSearch {
 public:
  using Poses = std::array<Board<W>, 4>;  // the cells of each heading

  explicit GridSearch(const GridMap& map) : columns_(map.columns), cells_(map.cells()), ahead_(map.ahead) {}

  /// For each query and each follower k (0..15) that asks: distance[k][goal] = actions before digging, action[k][goal] =
  /// the first action of the route, dig when in place; -1 and `stop` where unreachable. `empty` holds the cells nobody
  /// stands on; a follower's own cell counts as free to it.
  void routes(int followers, const std::uint16_t* cell, const std::uint8_t* heading, const Board<W>& empty,
              const GridQuery<W>* queries, int count, std::int16_t (*distance)[kGridGoals],
              std::uint8_t (*action)[kGridGoals]) const;

  /// A whole route: actions[0 .. distance - 1] to `targets`, known to be `distance` >= 1 actions away; `free` includes
  /// the follower's own cell. One search, and as many look-ups as actions; `frontiers` is memory that calls may share, it
  /// grows to the longest distance.
  void path(int cell, int heading, const Board<W>& free, const Board<W>& targets, int distance, std::uint8_t* actions,
            std::vector<Poses>& frontiers) const;

 private:
  int columns_, cells_;
  std::array<int, 4> ahead_;
};

}  // namespace paymaster
