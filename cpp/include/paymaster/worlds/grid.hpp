// World 1, the grid of resource collection (tasks.md; rules of M3RL's resource collection environment).
//
// Followers stand on cells and face one of four headings. `dig` acts on the cell ahead: it claims an unclaimed resource
// for the rest of the episode, skilled or not, and removes it at the end of the step if the digger has the skill. A
// removed resource is a reached goal of its type. W is the number of 64-bit words a map's cells need.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "paymaster/bitboard.hpp"
#include "paymaster/config.hpp"
#include "paymaster/grid_map.hpp"
#include "paymaster/planners/grid_search.hpp"
#include "paymaster/rng.hpp"
#include "paymaster/world.hpp"

namespace paymaster {

struct GridState {
  static constexpr int kMaxFollowers = 16;
  static constexpr int kMaxResources = 64;

  std::uint16_t cell[kMaxFollowers];                // of a follower
  std::uint8_t heading[kMaxFollowers];              // up, left, down, right
  std::int16_t distance[kMaxFollowers][kMaxGoals];  // the planner's, for this state; derived
  std::uint8_t available[kMaxGoals];                // unclaimed resources of each type; derived
  std::uint16_t resource_cell[kMaxResources];
  std::uint8_t resource_type[kMaxResources];
  std::int8_t claimant[kMaxResources];  // follower's index, -1 nobody
  bool present[kMaxResources];          // not removed yet
};

template <int W>
class GridWorld {
 public:
  using State = GridState;
  static constexpr int kMaxFollowers = GridState::kMaxFollowers;
  static constexpr int kActions = kGridActions;

  explicit GridWorld(const GameConfig& config);

  // --- what the game layer asks of a world ---------------------------------------------------------------------
  /// A new episode: resources in clusters of their type, then followers.
  void reset(State& state, Draws& draws) const;
  /// Brings the derived parts (the planner's distances, what is available) up to date with the rest of the state.
  void refresh(State& state) const;
  int distance(const State& state, int follower, int goal) const { return state.distance[follower][goal]; }
  /// actions[k] = first action of follower k's route to the reachable goal type chosen[k], or `stop` for -1.
  void plan(const State& state, const std::int8_t* chosen, std::uint8_t* actions) const;
  /// Moves everybody; bit g of reached[k] says that follower k has removed a resource of type g.
  void move(State& state, const MoveContext& context, std::uint8_t* reached) const;
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

  // --- fields of the observation and of the state, by name ------------------------------------------------------
  template <class Visitor>
  void observe(const State& state, Visitor&& field) const;
  template <class S, class Visitor>
  void visit(S& state, Visitor&& field) const;
  /// Throws std::invalid_argument when the state breaks a rule of the world.
  void validate(const State& state) const;

  const GridMap& map() const { return map_; }

 private:
  /// Cells without wall, resource or follower.
  Board<W> empty_cells(const State& state) const;
  /// Per goal type, the cells of its unclaimed resources.
  void unclaimed(const State& state, std::array<Board<W>, kMaxGoals>& cells) const;
  /// Adds the resources of type `goal` that the follower itself has claimed.
  void add_own(const State& state, int follower, int goal, Board<W>& cells) const;
  bool own_ahead(const State& state, int follower, int goal) const;
  int ahead(const State& state, int follower) const {
    return state.cell[follower] + map_.ahead[state.heading[follower]];
  }

  GridMap map_;
  GridSearch<W> search_;
  Board<W> free_;
  int n_, goals_, resources_;
};

}  // namespace paymaster

#include "paymaster/worlds/grid_fields.hpp"
