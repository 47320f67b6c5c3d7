// Maps of every size class (the core picks 2, 4, 8, 16 or 64 words of 64 cells).
#pragma once

#include <string>

#include "support/random.hpp"
#include "worlds/grid/map.hpp"

namespace paymaster::test {

/// A closed map with `wall_percent` of its inner cells wall; the inner corner at (1, 1) is always free.
std::string random_map(Random& random, int rows, int columns, int wall_percent);

/// A random closed map of at most 64 * words cells, and (if words > 2) more than half as many.
GridMap random_map_of(Random& random, int words, int wall_percent);

/// 11 x 11 with inner walls, rooms and doors: fits two words.
extern const char* const kRooms;

/// The obstacle map of M3RL's crafting world.
extern const char* const kCraftingObstacles;

}  // namespace paymaster::test
