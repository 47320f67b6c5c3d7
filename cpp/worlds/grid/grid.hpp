// World 1, the grid of resource collection (tasks.md; rules of M3RL's resource collection environment).
//
// Followers stand on cells and face one of four headings. `dig` acts on the cell ahead: it claims an unclaimed resource
// for the rest of the episode, skilled or not, and removes it at the end of the step if the digger has the skill. A
// removed resource is a reached goal of its type. W is the number of 64-bit words a map's cells need.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "game/rng.hpp"
#include "game/world.hpp"
#include "worlds/grid/bitboard.hpp"
#include "worlds/grid/config.hpp"
#include "worlds/grid/map.hpp"
#include "worlds/grid/search.hpp"

namespace paymaster {

template <int W>
struct GridState {
  std::uint16_t cell[kGridFollowers];    // of a follower
  std::uint8_t heading[kGridFollowers];  // up, left, down, right
  std::uint16_t resource_cell[kGridResources];
  std::uint8_t resource_type[kGridResources];
  std::int8_t claimant[kGridResources];  // follower's index, -1 nobody
  bool present[kGridResources];          // not removed yet
  // Derived.
  Board<W> empty;                                     // cells without wall, resource or follower
  std::int16_t distance[kGridFollowers][kGridGoals];  // the planner's, for this state
  std::uint8_t route[kGridFollowers][kGridGoals];     // its first action, `stop` where unreachable
  std::uint8_t available[kGridGoals];                 // unclaimed resources of each type
};

/// Walls, and a plane for each type of resource (M3RL).
PlaneWorld planes_of(const GameConfig& config);

template <int W>
class GridWorld {
 public:
  using State = GridState<W>;
  using Parameters = GridConfig;
  static constexpr const char* kName = "grid";
  static constexpr int kMaxFollowers = kGridFollowers, kMaxGoals = kGridGoals;
  static constexpr int kActions = kGridActions;
  static std::vector<BodyField> body(const GameConfig&) { return {{.name = "heading", .categories = 4}}; }

  static PlaneWorld planes(const GameConfig& config) { return planes_of(config); }

  explicit GridWorld(const GameConfig& config);

  // --- what the game layer asks of a world ---------------------------------------------------------------------
  /// A new episode: resources in clusters of their type, then followers.
  void reset(State& state, Draws& draws) const;
  /// Brings the derived parts (the planner's routes, what is available) up to date with the rest of the state.
  void refresh(State& state) const;
  int distance(const State& state, int follower, int goal) const { return state.distance[follower][goal]; }
  /// actions[k] = first action of follower k's route to the reachable goal type chosen[k], or `stop` for -1.
  void plan(const State& state, const std::int8_t* chosen, std::uint8_t* actions) const;
  /// Moves everybody; reached[k] are the types of the resources that follower k has removed.
  void move(State& state, const MoveContext& context, GoalSet* reached) const;
  /// Nothing is left to do.
  bool exhausted(const State& state) const;
  /// What noise replaces an action by: a movement action or `stop` (M3RL).
  static std::uint8_t noise_action(std::uint32_t index) {
    constexpr std::uint8_t kActionOfNoise[4] = {kMove, kTurnLeft, kTurnRight, kStop};
    return kActionOfNoise[index];
  }
  static constexpr std::uint32_t kNoiseActions = 4;
  /// Unclaimed resources left of a type.
  int available(const State& state, int goal) const { return state.available[goal]; }
  static int goal_objects(const GameConfig& config) { return config.own<GridConfig>().num_resources; }

  // --- fields of the observation and of the state, by name ------------------------------------------------------
  template <class Visitor>
  void observe(const State& state, Visitor&& field) const;
  template <class S, class Visitor>
  void visit(S& state, Visitor&& field) const;
  /// Throws std::invalid_argument when the state breaks a rule of the world.
  void validate(const State& state) const;

  const GridMap& map() const { return map_; }

 private:
  using Query = GridQuery<W>;
  static constexpr int kMaxQueries = kGridGoals + kGridResources;

  /// A claim makes a difference to its claimant only. Writes its routes of length 0, and changes what it asks for: adds
  /// to the `count` queries, of which that of an available goal type g is at[g]. Returns how many there are then.
  int ask_for_own(State& state, std::uint64_t claims, Query* queries, int count, const int* at) const;
  int ahead(const State& state, int follower) const {
    return state.cell[follower] + map_.ahead[state.heading[follower]];
  }

  GridMap map_;
  GridSearch<W> search_;
  Board<W> free_;
  std::vector<std::uint16_t> free_cells_, rank_;  // row by row; a free cell's place in that list
  int n_, goals_, resources_;
};

extern const WorldKind& kGrid;

}  // namespace paymaster

#include "worlds/grid/fields.hpp"
