// World 4, crafting (M3RL's second world): raw materials are dug, and items are made of them at stations.
//
// There is one inventory, which everybody adds to and takes from. `dig` is that of the grid (grid.hpp); what is dug enters
// the inventory at the end of the step. `craft` acts on the station ahead, if nobody else has claimed it and the inventory
// has the item's materials; otherwise nothing happens. With the skill it takes the materials at once, and at the end of the
// step the item enters the inventory and the station is free again. Without the skill it takes nothing, and the station
// stays claimed for the rest of the episode. A unit dug and an item made are reached goals of their types. The episode ends
// early when the inventory has two top-level items. Recipes and places: recipes.hpp.
#pragma once

#include <array>
#include <cstdint>

#include "worlds/grid/crafting_config.hpp"
#include "worlds/grid/ground.hpp"
#include "worlds/grid/recipes.hpp"

namespace paymaster {

/// Primitive actions in M3RL's order; the first four are the grid's.
enum CraftingAction : std::uint8_t { kCraft = 4, kCraftingStop = 5 };

/// Maps of 11 x 11 cells need two words. Things are the units of raw material, then the stations by item.
struct CraftingState : GridState<2> {
  std::int16_t inventory[kCraftingGoals];  // units of each type
};

class CraftingWorld : public GridGround<2> {
 public:
  using State = CraftingState;
  using Parameters = CraftingConfig;
  static constexpr const char* kName = "crafting";
  static constexpr int kMaxGoals = kCraftingGoals, kActions = 6;

  explicit CraftingWorld(const GameConfig& config);

  // --- what the game layer asks of a world, beside what the ground answers ------------------------------------------
  /// A new episode: the first unit of each raw type in its corner, others in clusters, then followers.
  void reset(State& state, Draws& draws) const;
  void refresh(State& state) const;
  void plan(const State& state, const std::int8_t* chosen, std::uint8_t* actions) const;
  void move(State& state, const MoveContext& context, GoalSet* reached) const;
  bool exhausted(const State& state) const;
  /// What noise replaces an action by: a movement action or `stop` (M3RL).
  static std::uint8_t noise_action(std::uint32_t index) {
    constexpr std::uint8_t kActionOfNoise[4] = {kMove, kTurnLeft, kTurnRight, kCraftingStop};
    return kActionOfNoise[index];
  }
  static constexpr std::uint32_t kNoiseActions = 4;
  static int goal_objects(const GameConfig& config) { return config.own<CraftingConfig>().num_resources; }

  // --- who plays --------------------------------------------------------------------------------------------------
  /// Follower j can dig all raw materials and craft item j mod 4; it prefers a uniform raw material.
  static void draw_traits(const GameConfig& config, Draws& draws, Traits* traits);
  /// A top-level item can be crafted by them (M3RL).
  static bool team_fits(const GoalSet* skill, int followers);

  // --- fields of the observation, the features and the state ------------------------------------------------------
  static std::vector<FeatureField> features(const GameConfig& config);
  /// As M3RL shows it: materials by goal type, of which only raw ones ever lie on the ground, then the inventory. Stations
  /// look like free cells: they are always the same.
  static PlaneWorld planes(const GameConfig& config);
  template <class Visitor>
  void observe(const State& state, Visitor&& field) const;
  template <class S, class Visitor>
  void visit(S& state, Visitor&& field) const;
  void validate(const State& state) const { validate_ground(state); }

 private:
  static constexpr int kMostSet = 1000;  // units of a type that can be set

  /// Follower k crafts at a cell. Returns the item's type if it has been made, else kNone.
  int craft(State& state, int k, int cell, GoalSet skill) const;
  /// Units of an item's materials that the inventory lacks; 0 of a raw material.
  static int missing(const State& state, int type);
  int station(int item) const { return raw_ + item - kRawTypes; }
  /// Item kRawTypes + i's, unclaimed.
  void put_station(State& state, int i) const {
    put_thing(state, raw_ + i, station_cell_[static_cast<std::size_t>(i)], kRawTypes + i);
  }

  int raw_;  // units of raw material at the start
  std::array<std::uint16_t, kItems> station_cell_;
  std::array<std::uint16_t, kRawTypes> corner_;
};

extern const WorldKind& kCrafting;

}  // namespace paymaster

#include "worlds/grid/crafting_fields.hpp"
