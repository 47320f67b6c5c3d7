// What can be made of what in the crafting world, and where (M3RL, envs/crafting.py).
//
// Goal types 0..3 are raw materials, 4..7 items. Each item takes one unit of two others, and is crafted at its own station.
// Items 6 and 7 are top-level: nothing is made of them.
#pragma once

#include <array>

#include "game/types.hpp"

namespace paymaster {

inline constexpr int kRawTypes = 4, kItems = 4, kCraftingGoals = kRawTypes + kItems;
inline constexpr int kTopItems[2] = {6, 7};
inline constexpr int kTopItemsToEnd = 2;  // in the inventory, of either type
inline constexpr int kStartingUnits = 2;  // of each raw type at least

/// Item kRawTypes + i is made of one unit each of kRecipes[i].
inline constexpr std::array<std::array<int, 2>, kItems> kRecipes = {{{0, 1}, {2, 3}, {2, 4}, {1, 5}}};
/// Row and column of the station of item kRawTypes + i.
inline constexpr std::array<std::array<int, 2>, kItems> kStations = {{{3, 5}, {5, 3}, {7, 5}, {5, 7}}};
/// Row and column of the first unit of each raw type.
inline constexpr std::array<std::array<int, 2>, kRawTypes> kCorners = {{{1, 1}, {9, 1}, {9, 9}, {1, 9}}};
inline constexpr int kCraftingSide = 11;  // rows and columns of a map

/// Whether followers with these skills could craft a top-level item between them.
inline constexpr bool can_craft_top_item(GoalSet skills) {
  for (const int top : kTopItems) {
    const int part = kRecipes[static_cast<std::size_t>(top - kRawTypes)][1];
    if (holds(skills, top) && holds(skills, part)) return true;
  }
  return false;
}

}  // namespace paymaster
