// Batches of the worlds on the grid, compiled apart: a game for every board size is most of the core.
#include "batch/world_kind.hpp"
#include "worlds/grid/crafting.hpp"
#include "worlds/grid/grid.hpp"

namespace paymaster {
namespace {

/// The grid in the smallest size that holds the map.
class GridKind final : public KindOf<GridWorld<2>> {
 public:
  std::unique_ptr<Batch> games(const GameConfig& game, const BatchConfig& batch, Population people) const override {
    return with_words(GridMap::parse(game.own<GridConfig>().map).cells(),
                      [&]<int W>() { return games_of<GridWorld<W>>(game, batch, std::move(people)); });
  }
};

constinit const GridKind kGridKind;

}  // namespace

constinit const WorldKind& kGrid = kGridKind;
constinit const WorldKind& kCrafting = kKind<CraftingWorld>;

}  // namespace paymaster
