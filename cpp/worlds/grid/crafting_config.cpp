#include "worlds/grid/crafting_config.hpp"

#include "game/check.hpp"
#include "worlds/grid/map.hpp"

namespace paymaster {
namespace {

/// The cells that stations and first materials have on every map are free.
void check_map(const GridMap& map) {
  expect(map.rows == kCraftingSide && map.columns == kCraftingSide, "map",
         "11 rows of 11 characters, since stations have fixed cells",
         std::to_string(map.rows) + " x " + std::to_string(map.columns) + " cells");
  const auto check = [&](const auto& cells, const char* what) {
    for (const auto& [row, column] : cells)
      expect(map.free[static_cast<std::size_t>(row * map.columns + column)] != 0, "map",
             std::string("a free cell for ") + what + " at row " + std::to_string(row) + ", column " +
                 std::to_string(column),
             "'#'");
  };
  check(kStations, "a station");
  check(kCorners, "the first material of a type");
}

}  // namespace

void CraftingConfig::visit(ParameterVisitor& visitor) {
  visitor("num_resources", num_resources,
          "M, units of raw material on the grid at the start, two of each type at least", kRawTypes * kStartingUnits,
          kGridResources - kItems);
  visitor("map", map,
          "text map of 11 x 11 cells, '#' wall and '.' free, closed by a border of wall; '' is 9 x 9 free cells");
}

void CraftingConfig::validate(const GameConfig& game) const {
  const GridMap parsed = GridMap::parse(map);
  check_map(parsed);
  const int needed = game.num_followers + num_resources + kItems, room = parsed.free_cells();
  expect(needed <= room, "map", "free cells for num_followers + num_resources + 4 stations = " + std::to_string(needed),
         room);
  expect(game.num_goals == kCraftingGoals, "num_goals", "8 in the crafting world", game.num_goals);
  expect(game.skills_per_follower == kRawTypes + 1, "skills_per_follower",
         "5 in the crafting world: the raw materials and one item", game.skills_per_follower);
  expect(game.preference_among_skills, "preference_among_skills", "true in the crafting world", "false");
  expect(!game.new_preferences, "new_preferences", "false in the crafting world, where raw materials are preferred",
         "true");
}

}  // namespace paymaster
