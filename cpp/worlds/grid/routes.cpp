#include "worlds/grid/routes.hpp"

#include <algorithm>

#include "worlds/grid/search.hpp"

namespace paymaster {
namespace {

template <int W>
Board<W> board_of(const std::uint8_t* cells, int count) {
  Board<W> board{};
  if (cells == nullptr) return board;
  for (int i = 0; i < count; ++i)  // no branches: these can take longer than the search
    board.set_if(cells[i] != 0, i);
  return board;
}

template <int W>
GridRoutes routes(const GridMap& map, const std::vector<std::uint16_t>& cell, const std::vector<std::uint8_t>& heading,
                  const CellSets& targets, const CellSets& blocked) {
  const GridSearch<W> search(map);
  const Board<W> floor = board_of<W>(map.free.data(), map.cells());
  GridQuery<W> query{Board<W>{}, 1, 0};
  Board<W> empty{};
  std::vector<typename GridSearch<W>::Poses> frontiers;
  GridRoutes found;
  found.distance.reserve(cell.size());
  found.first.assign(1, 0);
  for (std::size_t i = 0; i < cell.size(); ++i) {
    if (i == 0 || targets.stride != 0 || blocked.stride != 0) {
      query.targets = board_of<W>(targets.of(i), map.cells());
      empty = floor - query.targets - board_of<W>(blocked.of(i), map.cells());
    }
    std::int16_t distance[1][kGridGoals];
    std::uint8_t action[1][kGridGoals];
    search.routes(1, &cell[i], &heading[i], empty, &query, 1, distance, action);
    const std::int32_t length = distance[0][0];
    found.distance.push_back(length);
    if (length > 0) {
      Board<W> free = empty;
      free.set(cell[i]);
      found.action.resize(found.first.back() + static_cast<std::size_t>(length));
      search.path(cell[i], heading[i], free, query.targets, length, &found.action[found.first.back()], frontiers);
    }
    found.first.push_back(found.action.size());
  }
  return found;
}

}  // namespace

std::int32_t GridRoutes::longest() const {
  std::int32_t most = 0;
  for (const std::int32_t length : distance) most = std::max(most, length);
  return most;
}

GridAction GridRoutes::play(std::size_t query) const {
  if (distance[query] == kNone) return kStop;
  return distance[query] == 0 ? kDig : static_cast<GridAction>(action[first[query]]);
}

GridRoutes grid_routes(const GridMap& map, const std::vector<std::uint16_t>& cell,
                       const std::vector<std::uint8_t>& heading, const CellSets& targets, const CellSets& blocked) {
  return with_words(map.cells(), [&]<int W>() { return routes<W>(map, cell, heading, targets, blocked); });
}

}  // namespace paymaster
