// What the crafting world shows and stores, field by field.
#pragma once

#include "game/check.hpp"
#include "game/fields.hpp"
#include "worlds/grid/crafting.hpp"

namespace paymaster {

inline int CraftingWorld::missing(const State& s, int type) {
  if (type < kRawTypes) return 0;
  const auto& parts = kRecipes[static_cast<std::size_t>(type - kRawTypes)];
  return (s.inventory[parts[0]] == 0) + (s.inventory[parts[1]] == 0);
}

inline std::vector<FeatureField> CraftingWorld::features(const GameConfig&) {
  const Shape types{kCraftingGoals, 0};
  return {{.name = "inventory", .real = false, .of_pair = true, .shape = types, .scale = 4},
          {.name = "missing", .real = false, .of_pair = true, .shape = types, .scale = 2}};
}

template <class Visitor>
void CraftingWorld::observe(const State& s, Visitor&& field) const {
  observe_ground(s, raw_, kRawTypes, field);
  field("station_claimant", "follower that has claimed the station of item 4 + i, -1 nobody", Shape{kItems, 0},
        Whole(kNone, n_ - 1), [&](int i, int) { return s.claimant[raw_ + i]; });
  field("inventory", "units of each goal type that the followers have together", Shape{kCraftingGoals, 0},
        Whole::from(0), [&](int g, int) { return s.inventory[g]; });
  field("missing", "kinds of material that an item still needs; 0 of raw materials", Shape{kCraftingGoals, 0},
        Whole(0, 2), [&](int g, int) { return missing(s, g); });
}

template <class S, class Visitor>
void CraftingWorld::visit(S& s, Visitor&& field) const {
  visit_ground(s, raw_, kRawTypes, field);
  using I = std::int32_t;
  field(
      "station_claimant", "follower (0..N-1) that has claimed the station of item 4 + i, -1 nobody", Shape{kItems, 0},
      I{}, [&](int i, int) { return s.claimant[raw_ + i]; },
      [&](int i, int, I value) {
        expect_range(value, kNone, n_ - 1, "station_claimant");
        put_station(s, i);  // a state read from a snapshot has none yet
        s.claimant[raw_ + i] = static_cast<std::int8_t>(value);
      });
  field(
      "inventory", "units of each goal type that the followers have together", Shape{kCraftingGoals, 0}, I{},
      [&](int g, int) { return s.inventory[g]; },
      [&](int g, int, I value) {
        constexpr int most = gives_back_play<Visitor>() ? kMostSet + kGridResources : kMostSet;
        expect_range(value, 0, most, "inventory");
        s.inventory[g] = static_cast<std::int16_t>(value);
      });
}

}  // namespace paymaster
