#include "worlds/grid/config.hpp"

#include "game/check.hpp"
#include "worlds/grid/grid.hpp"
#include "worlds/grid/map.hpp"

namespace paymaster {

void GridConfig::visit(ParameterVisitor& visitor) {
  visitor("num_resources", num_resources, "M, resources on the grid at the start", 1, kGridResources);
  visitor("map", map, "text map, '#' wall and '.' free, closed by a border of wall; '' is 9 x 9 free cells");
}

void GridConfig::validate(const GameConfig& game) const {
  const int room = GridMap::parse(map).free_cells();
  expect(game.num_followers + num_resources <= room, "map",
         "free cells for num_followers + num_resources = " + std::to_string(game.num_followers + num_resources), room);
}

PlaneWorld planes_of(const GameConfig& config) {
  const auto& own = config.own<GridConfig>();
  return planes_of_ground(own.map, config.num_goals, own.num_resources);
}

}  // namespace paymaster
