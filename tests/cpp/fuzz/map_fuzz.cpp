// Text that may be a map: refused, or a map on which routes are found and games played.
#include <stdexcept>

#include "play.hpp"
#include "worlds/grid/config.hpp"
#include "worlds/grid/map.hpp"
#include "worlds/grid/routes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paymaster;
  if (size < 2) return 0;
  // Most bytes stand for one of the signs, so that maps come about.
  std::string text;
  for (std::size_t i = 2; i < size; ++i) text += data[0] & 1 ? "##.. #.\n"[data[i] & 7] : static_cast<char>(data[i]);
  GridMap map;
  try {
    map = GridMap::parse(text);
  } catch (const std::invalid_argument&) {
    return 0;
  }
  fuzz::require(map.cells() <= GridMap::kMaxCells && map.free.size() == static_cast<std::size_t>(map.cells()), "size");
  std::vector<std::uint8_t> goals(map.free.size()), blocked(map.free.size());
  std::vector<std::uint16_t> cell;
  std::vector<std::uint8_t> heading;
  for (std::size_t i = 0; i < map.free.size(); ++i) {
    if (!map.free[i]) continue;
    goals[i] = (i * 7 + data[1]) % 5 == 0;
    blocked[i] = (i * 11 + data[1]) % 6 == 0;
    if (cell.size() < 3) {
      cell.push_back(static_cast<std::uint16_t>(i));
      heading.push_back(static_cast<std::uint8_t>(i & 3));
    }
  }
  const GridRoutes routes = grid_routes(map, cell, heading, {goals.data(), 0}, {blocked.data(), 0});
  for (const auto distance : routes.distance) fuzz::require(distance >= -1 && distance <= 4 * map.cells(), "distance");

  GameConfig config = find_task("resource_collection").preset;
  config.own<GridConfig>().map = text;
  config.num_followers = 1 + data[1] % 4;
  config.own<GridConfig>().num_resources = 1 + data[1] / 4 % 8;
  config.population_size = 6;
  try {
    fuzz::Play play(config, 1);
    play.reset();
    for (std::uint32_t t = 0; t < 5; ++t) play.step(t);
  } catch (const std::invalid_argument&) {  // no room
  }
  return 0;
}
