#include "worlds/grid/crafting.hpp"

#include <algorithm>

#include "game/population.hpp"

namespace paymaster {
namespace {

std::uint16_t cell_of(const std::array<int, 2>& place) {
  return static_cast<std::uint16_t>(place[0] * kCraftingSide + place[1]);
}

}  // namespace

CraftingWorld::CraftingWorld(const GameConfig& config)
    : GridGround(config.own<CraftingConfig>().map, config.num_followers, config.num_goals,
                 config.own<CraftingConfig>().num_resources + kItems),
      raw_(config.own<CraftingConfig>().num_resources) {
  std::transform(kStations.begin(), kStations.end(), station_cell_.begin(), cell_of);
  std::transform(kCorners.begin(), kCorners.end(), corner_.begin(), cell_of);
}

void CraftingWorld::reset(State& state, Draws& draws) const {
  Room room(*this);
  // Stations and corners first: nothing else can be placed there.
  for (int i = 0; i < kItems; ++i) put_station(state, i);
  for (const auto& reserved : {station_cell_, corner_})
    for (const std::uint16_t cell : reserved) room.take(cell);
  for (int i = 0; i < raw_; ++i) {
    const bool given = i < kStartingUnits * kRawTypes, first = given && i % kStartingUnits == 0;
    const int type = given ? i / kStartingUnits : static_cast<int>(draws.below(kRawTypes));
    const std::uint16_t cell =
        first ? corner_[static_cast<std::size_t>(type)] : room.take(room.beside_its_type(state, i, type, draws));
    put_thing(state, i, cell, type);
  }
  place_followers(state, room, draws);
  std::fill_n(state.inventory, kCraftingGoals, std::int16_t{0});
}

void CraftingWorld::refresh(State& state) const {
  GridGround::refresh(state);
  // The ground's last action of a route is `dig`, its `stop` is another number.
  static_assert(int{kCraft} == int{kDig} + 1);
  for (int k = 0; k < n_; ++k) {
    const std::int16_t* way = state.distance[k];
    std::uint8_t* route = state.route[k];
    for (int g = 0; g < kCraftingGoals; ++g) route[g] = way[g] < 0 ? std::uint8_t{kCraftingStop} : route[g];
    for (int item = kRawTypes; item < kCraftingGoals; ++item) route[item] += way[item] == 0;
  }
}

void CraftingWorld::plan(const State& state, const std::int8_t* chosen, std::uint8_t* actions) const {
  for (int k = 0; k < n_; ++k)
    actions[k] = chosen[k] == kNone ? std::uint8_t{kCraftingStop} : state.route[k][chosen[k]];
}

int CraftingWorld::craft(State& state, int k, int cell, GoalSet skill) const {
  const auto found = std::find(station_cell_.begin(), station_cell_.end(), cell);
  if (found == station_cell_.end()) return kNone;
  const int item = kRawTypes + static_cast<int>(found - station_cell_.begin());
  std::int8_t& claimant = state.claimant[station(item)];
  if ((claimant != kNone && claimant != k) || missing(state, item) > 0) return kNone;
  claimant = static_cast<std::int8_t>(k);
  if (!holds(skill, item)) return kNone;
  for (const int part : kRecipes[static_cast<std::size_t>(item - kRawTypes)]) --state.inventory[part];
  return item;
}

void CraftingWorld::move(State& state, const MoveContext& context, GoalSet* reached) const {
  walk(state, context.action, [&](int k, int action, int cell) {
    int type = kNone;
    if (action == kDig) type = dig(state, k, cell, raw_, context.skill[k]);
    else if (action == kCraft) type = craft(state, k, cell, context.skill[k]);
    reached[k] = type == kNone ? 0 : set_of(type);
  });
  for (int k = 0; k < n_; ++k) {  // booked at the end: nobody has used it in this step
    if (reached[k] == 0) continue;
    const int type = std::countr_zero(reached[k]);
    ++state.inventory[type];
    if (type >= kRawTypes) state.claimant[station(type)] = kNone;
  }
}

bool CraftingWorld::exhausted(const State& state) const {
  int made = 0;
  for (const int item : kTopItems) made += state.inventory[item];
  return made >= kTopItemsToEnd;
}

void CraftingWorld::draw_traits(const GameConfig& config, Draws& draws, Traits* traits) {
  for (int j = 0; j < config.population_size; ++j) {
    traits[j].skill = set_of(kRawTypes) - 1;
    traits[j].skill |= set_of(kRawTypes + j % kItems);
    traits[j].preference = static_cast<std::uint8_t>(draws.below(kRawTypes));
    traits[j].reservation = static_cast<float>(1 + draws.below(static_cast<std::uint32_t>(config.max_reservation)));
  }
}

PlaneWorld CraftingWorld::planes(const GameConfig& config) {
  const auto& own = config.own<CraftingConfig>();
  PlaneWorld planes = planes_of_ground(own.map, kCraftingGoals, own.num_resources);
  planes.amount = "inventory";
  planes.amounts = kCraftingGoals;
  return planes;
}

bool CraftingWorld::team_fits(const GoalSet* skill, int followers) {
  GoalSet together = 0;
  for (int k = 0; k < followers; ++k) together |= skill[k];
  return can_craft_top_item(together);
}

}  // namespace paymaster
