// Batches of the grid, compiled apart: a game for every board size is most of the core.
#include "batch/world_kind.hpp"
#include "worlds/grid/grid.hpp"

namespace paymaster {
namespace {

/// The grid in the smallest size that holds the map.
std::unique_ptr<Batch> grid_games(const GameConfig& game, const BatchConfig& batch, Population people) {
  return with_words(GridMap::parse(game.own<GridConfig>().map).cells(),
                    [&]<int W>() { return games_of<GridWorld<W>>(game, batch, std::move(people)); });
}

}  // namespace

constinit const WorldKind kGrid = kind_of<GridWorld<2>>(grid_games);

}  // namespace paymaster
