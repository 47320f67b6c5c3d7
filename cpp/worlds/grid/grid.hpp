// World 1, the grid of resource collection (tasks.md; rules of M3RL's resource collection environment).
//
// `dig` acts on the cell ahead: it claims an unclaimed resource for the rest of the episode, skilled or not, and removes it
// at the end of the step if the digger has the skill. A removed resource is a reached goal of its type.
#pragma once

#include <cstdint>

#include "worlds/grid/config.hpp"
#include "worlds/grid/ground.hpp"

namespace paymaster {

/// Walls, and a plane for each type of resource (M3RL).
PlaneWorld planes_of(const GameConfig& config);

template <int W>
class GridWorld : public GridGround<W> {
 public:
  using State = GridState<W>;
  using Parameters = GridConfig;
  static constexpr const char* kName = "grid";
  static constexpr int kActions = kGridActions;

  static PlaneWorld planes(const GameConfig& config) { return planes_of(config); }

  explicit GridWorld(const GameConfig& config);

  // --- what the game layer asks of a world, beside what the ground answers ------------------------------------------
  /// A new episode: resources in clusters of their type, then followers.
  void reset(State& state, Draws& draws) const;
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
  static int goal_objects(const GameConfig& config) { return config.own<GridConfig>().num_resources; }

  // --- fields of the observation and of the state, by name ------------------------------------------------------
  template <class Visitor>
  void observe(const State& state, Visitor&& field) const {
    Ground::observe_ground(state, things_, goals_, field);
  }
  template <class S, class Visitor>
  void visit(S& state, Visitor&& field) const {
    Ground::visit_ground(state, things_, goals_, field);
  }
  /// Throws std::invalid_argument when the state breaks a rule of the world.
  void validate(const State& state) const { Ground::validate_ground(state); }

 private:
  using Ground = GridGround<W>;
  using Ground::goals_;
  using Ground::n_;
  using Ground::things_;
};

extern const WorldKind& kGrid;

}  // namespace paymaster
