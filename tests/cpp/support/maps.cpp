#include "support/maps.hpp"

#include <algorithm>

namespace paymaster::test {

const char* const kRooms = R"(
###########
#....#....#
#....#....#
#.........#
#....#....#
##.#####.##
#....#....#
#....#....#
#.........#
#....#....#
###########
)";

const char* const kCraftingObstacles = R"(
###########
#..#......#
#..#......#
#.......###
#.........#
#.........#
#.........#
###.......#
#......#..#
#......#..#
###########
)";

std::string random_map(Random& random, int rows, int columns, int wall_percent) {
  std::string text;
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < columns; ++c) {
      const bool border = r == 0 || c == 0 || r + 1 == rows || c + 1 == columns;
      const bool corner = r == 1 && c == 1;
      text += border || (!corner && random.chance(wall_percent)) ? '#' : '.';
    }
    text += '\n';
  }
  return text;
}

GridMap random_map_of(Random& random, int words, int wall_percent) {
  const int most = 64 * words, least = words > 2 ? most / 2 + 1 : 9;
  for (;;) {
    const int rows = random.between(3, std::min(most / 3, GridMap::kMaxSide));
    const int columns = random.between(3, std::min(most / 3, GridMap::kMaxSide));
    if (rows * columns >= least && rows * columns <= most)
      return GridMap::parse(random_map(random, rows, columns, wall_percent));
  }
}

}  // namespace paymaster::test
