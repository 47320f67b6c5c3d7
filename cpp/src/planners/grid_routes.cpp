#include "paymaster/planners/grid_routes.hpp"

#include <algorithm>

#include "paymaster/planners/grid_search.hpp"

namespace paymaster {
namespace {

template <int W>
Board<W> board_of(const std::uint8_t* cells, int count) {
  Board<W> board{};
  if (cells == nullptr) return board;
  for (int i = 0; i < count; ++i)  // no branches: these can take longer than the search
    board.word[static_cast<unsigned>(i) >> 6] |= static_cast<std::uint64_t>(cells[i] != 0) << (i & 63);
  return board;
}

template <int W>
GridRoutes routes(const GridMap& map, const std::vector<std::uint16_t>& cell, const std::vector<std::uint8_t>& heading,
                  const CellSets& targets, const CellSets& blocked) {
  const GridSearch<W> search(map);
  const Board<W> floor = board_of<W>(map.free.data(), map.cells());
  Board<W> goals[kMaxGoals] = {}, empty;
  std::vector<typename GridSearch<W>::Poses> frontiers;
  GridRoutes found;
  found.distance.reserve(cell.size());
  found.first.assign(1, 0);
  for (std::size_t i = 0; i < cell.size(); ++i) {
    if (i == 0 || targets.stride != 0 || blocked.stride != 0) {
      goals[0] = board_of<W>(targets.of(i), map.cells());
      empty = floor - goals[0] - board_of<W>(blocked.of(i), map.cells());
    }
    std::int16_t distance[1][kMaxGoals];
    search.distances(1, &cell[i], &heading[i], empty, goals, 1, distance);
    const std::int32_t length = distance[0][0];
    found.distance.push_back(length);
    if (length > 0) {
      Board<W> free = empty;
      free.set(cell[i]);
      found.action.resize(found.first.back() + static_cast<std::size_t>(length));
      search.path(cell[i], heading[i], free, goals[0], length, &found.action[found.first.back()], frontiers);
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
