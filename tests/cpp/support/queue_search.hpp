// The route planner as M3RL has it: a first-in first-out queue over (cell, heading). Slow and plain, to compare with.
#pragma once

#include <vector>

#include "game/types.hpp"
#include "worlds/grid/map.hpp"

namespace paymaster::test {

using Cells = std::vector<bool>;  // [cells of the map]

struct Route {
  int distance = kNone;      // actions before digging
  int first_action = kNone;  // of the route; -1 at distance 0
};

/// Routes from a pose to the first pose in the queue that has a cell of targets[i] straight ahead, for each i.
std::vector<Route> queue_search(const GridMap& map, const Cells& free, int cell, int heading,
                                const std::vector<Cells>& targets);

}  // namespace paymaster::test
