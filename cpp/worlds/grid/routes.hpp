// Whole routes of many followers on one map, each in a situation of its own: GridSearch for callers outside the games.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "worlds/grid/map.hpp"

namespace paymaster {

/// A set of cells for each of B queries, a byte a cell; or, with stride 0, one set for all of them.
struct CellSets {
  const std::uint8_t* cells = nullptr;  // [B][map.cells()], nullptr: no cells
  std::size_t stride = 0;

  const std::uint8_t* of(std::size_t query) const { return cells == nullptr ? nullptr : cells + query * stride; }
};

/// B routes. Route i has the actions first[i] .. first[i + 1] - 1; unless it is unreachable, `distance` of them.
struct GridRoutes {
  std::vector<std::int32_t> distance;  // [B] actions before a target lies straight ahead; -1: unreachable
  std::vector<std::size_t> first;      // [B + 1]
  std::vector<std::uint8_t> action;    // GridAction

  std::int32_t longest() const;
  /// What to play now: the route's first action, `dig` when in place, `stop` when there is no route.
  GridAction play(std::size_t query) const;
};

/// Shortest routes from (cell[i], heading[i]), free cells of the map, to face any target; ties as in search.hpp.
/// Targets, which must be free cells of the map, and `blocked` cells cannot be entered; one's own cell can.
GridRoutes grid_routes(const GridMap& map, const std::vector<std::uint16_t>& cell,
                       const std::vector<std::uint8_t>& heading, const CellSets& targets, const CellSets& blocked);

}  // namespace paymaster
