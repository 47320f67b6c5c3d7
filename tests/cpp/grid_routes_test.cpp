// Routes of a batch of followers against a queue-based search: sets of cells of their own, shared, or none.
#include "worlds/grid/routes.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "support/maps.hpp"
#include "support/queue_search.hpp"

namespace paymaster::test {
namespace {

constexpr int kQueries = 12;

/// Random sets of free cells, a byte a cell, one after the other.
std::vector<std::uint8_t> random_cells(Random& random, const GridMap& map, int sets, int percent) {
  std::vector<std::uint8_t> cells;
  for (int i = 0; i < sets * map.cells(); ++i)
    cells.push_back(map.free[static_cast<std::size_t>(i % map.cells())] != 0 && random.below(100) < percent);
  return cells;
}

}  // namespace

TEST_CASE("grid_routes: each route is the queue's, whichever sets are shared") {
  Random random(1);
  int walks = 0, lost = 0;
  for (int round = 0; round < 60; ++round) {
    CAPTURE(round);
    const int words[] = {2, 2, 2, 4, 8};
    const GridMap map = random_map_of(random, words[round % 5], 10 * (round % 4));
    const auto size = static_cast<std::size_t>(map.cells());
    const bool own_targets = random.below(2) != 0, own_blocked = random.below(2) != 0;
    const auto target = random_cells(random, map, own_targets ? kQueries : 1, 4);
    const auto taken = random_cells(random, map, own_blocked ? kQueries : 1, 20);
    const CellSets targets{target.data(), own_targets ? size : 0};
    const CellSets blocked{round % 6 == 0 ? nullptr : taken.data(), own_blocked ? size : 0};
    std::vector<std::uint16_t> cell;
    std::vector<std::uint8_t> heading;
    while (cell.size() < kQueries) {
      const int at = random.below(map.cells());
      if (map.free[static_cast<std::size_t>(at)] == 0) continue;
      cell.push_back(static_cast<std::uint16_t>(at));
      heading.push_back(static_cast<std::uint8_t>(random.below(4)));
    }
    const GridRoutes routes = grid_routes(map, cell, heading, targets, blocked);
    REQUIRE(routes.first.size() == kQueries + 1);
    REQUIRE(routes.first.back() == routes.action.size());
    std::int32_t longest = 0;
    for (std::size_t b = 0; b < kQueries; ++b) {
      Cells free, goals;
      for (std::size_t i = 0; i < size; ++i) {
        const bool occupied = blocked.of(b) != nullptr && blocked.of(b)[i] != 0;
        goals.push_back(targets.of(b)[i] != 0);
        free.push_back(i == cell[b] || (map.free[i] != 0 && !goals[i] && !occupied));
      }
      const Route expected = queue_search(map, free, cell[b], heading[b], {goals})[0];
      REQUIRE(routes.distance[b] == expected.distance);
      REQUIRE(routes.first[b + 1] - routes.first[b] == static_cast<std::size_t>(std::max(expected.distance, 0)));
      const int idle = expected.distance == 0 ? kDig : kStop;
      REQUIRE(routes.play(b) == (expected.distance > 0 ? expected.first_action : idle));
      longest = std::max(longest, routes.distance[b]);
      walks += expected.distance > 1;
      lost += expected.distance == kNone;
    }
    REQUIRE(routes.longest() == longest);
  }
  CHECK(walks > 200);
  CHECK(lost > 20);
}

}  // namespace paymaster::test
