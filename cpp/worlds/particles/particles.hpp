// Worlds 2 and 3, particles (tasks.md): followers are bodies under MPE's physics, goals are landmarks or preys.
//
// Everything the two worlds share is here; what goals do (stand or run) is a parameter, `Rules`, in navigation.hpp and
// predator_prey.hpp. A follower that comes near enough to a goal of a type it has the skill for takes it; another goal,
// of a type and at a place drawn at random, takes its slot. Lengths are in units of MPE's arena, time in steps.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "game/rng.hpp"
#include "game/types.hpp"
#include "game/world.hpp"
#include "worlds/particles/config.hpp"
#include "worlds/particles/limits.hpp"
#include "worlds/particles/physics.hpp"
#include "worlds/particles/steering.hpp"

namespace paymaster {

/// A game with room for so many followers, goals and obstacles: small games are small in memory.
template <int Followers, int Targets, int Obstacles>
struct ParticleRoom {
  static constexpr int kMaxFollowers = Followers, kMaxMarks = Targets, kMaxBlocks = Obstacles;
  static constexpr int kMaxBodies = kMaxFollowers + kMaxMarks + kMaxBlocks;
  static_assert(kMaxBodies <= ParticlePhysics<double>::kMaxBodies);
  static bool holds(const GameConfig& game) {
    const auto& own = game.own<ParticleConfig>();
    return game.num_followers <= kMaxFollowers && own.num_targets <= kMaxMarks && own.num_obstacles <= kMaxBlocks;
  }

  // Bodies: N followers, then M goals, then the obstacles, without gaps.
  double position[kMaxBodies][2];
  double velocity[kMaxBodies][2];
  std::uint8_t goal_type[kMaxMarks];
  std::uint8_t goal_action[kMaxMarks];  // held by a prey
  // Derived: of each follower, for the nearest goal of each type.
  std::int16_t distance[kMaxFollowers]
                       [kParticleGoals];              // planned actions before the one that reaches it; -1: none there
  std::uint8_t route[kMaxFollowers][kParticleGoals];  // the planner's action towards it
  std::uint8_t available[kParticleGoals];             // goals of the type on the field
};

/// How followers' bodies are seen: by place and velocity.
std::vector<BodyField> particle_body(const GameConfig& game);

using ParticleState = ParticleRoom<kParticleFollowers, kMaxTargets, kMaxObstacles>;  // for every configuration
using SmallParticleState = ParticleRoom<8, 8, 8>;

/// Rules is a struct of static members: kName (of the WorldKind); kGoalsMove (bodies of their own, or marks on the ground);
/// drive(world, state, context, actions), which sets actions[i] of the goals; confine(world, state), after the physics.
template <class Rules, class Room = ParticleState>
class ParticleWorld {
 public:
  using State = Room;
  using Parameters = ParticleConfig;
  static constexpr int kMaxFollowers = State::kMaxFollowers, kMaxGoals = kParticleGoals;
  static constexpr int kActions = kParticleActions;
  static constexpr const char* kName = Rules::kName;
  static constexpr std::uint32_t kNoiseActions = kParticleActions;
  static std::vector<BodyField> body(const GameConfig& game) { return particle_body(game); }

  explicit ParticleWorld(const GameConfig& game)
      : ParticleWorld(game.num_followers, game.num_goals, game.own<ParticleConfig>()) {}
  /// Throws std::invalid_argument naming the parameter, what was expected and what came.
  ParticleWorld(int num_followers, int num_goals, const ParticleConfig& config);

  // --- what the game layer asks of a world ---------------------------------------------------------------------
  /// A new episode: obstacles, then followers, then goals; nothing overlaps where 100 tries find room.
  void reset(State& state, Draws& draws) const;
  /// Brings the derived parts (the planner's steps and actions, what is available) up to date.
  void refresh(State& state) const;
  /// Actions that follower k is expected to need before the one that reaches the nearest goal of a type, 0 when the
  /// next one does; -1: none is on the field.
  int distance(const State& state, int follower, int goal) const { return state.distance[follower][goal]; }
  /// actions[k] steers follower k to the nearest goal of type chosen[k], or brakes for -1.
  void plan(const State& state, const std::int8_t* chosen, std::uint8_t* actions) const;
  /// One step of physics, then goals are taken and replaced. reached[k]: types of the goals that follower k took.
  void move(State& state, const MoveContext& context, GoalSet* reached) const;
  /// Never: goals come back.
  bool exhausted(const State&) const { return false; }
  /// What noise replaces an action by: any of the five.
  static std::uint8_t noise_action(std::uint32_t index) { return static_cast<std::uint8_t>(index); }
  /// Goals of a type on the field.
  int available(const State& state, int goal) const { return state.available[goal]; }
  static int goal_objects(const GameConfig& game) { return game.own<ParticleConfig>().num_targets; }

  // --- fields of the observation and of the state, by name ------------------------------------------------------
  template <class Visitor>
  void observe(const State& state, Visitor&& field) const;
  template <class S, class Visitor>
  void visit(S& state, Visitor&& field) const;
  /// Throws std::invalid_argument when the state breaks a rule of the world.
  void validate(const State& state) const;

  const ParticleConfig& config() const { return config_; }
  const Steering& steering() const { return steering_; }
  int followers() const { return n_; }
  int targets() const { return targets_; }
  int obstacles() const { return obstacles_; }
  /// Index of the first goal, the first obstacle, among the bodies.
  int first_goal() const { return n_; }
  int first_obstacle() const { return n_ + targets_; }
  double half_width() const { return half_width_; }

 private:
  /// Whether anybody may be near enough to goal i; most goals have nobody.
  bool in_reach(const State& state, int i) const;
  /// Whoever takes goal i in this step, or -1: one committed to its type, then the nearest, then the lowest index.
  int taker(const State& state, int i, const MoveContext& context) const;
  /// `body` overlaps one of the bodies first..last-1.
  bool overlaps(const State& state, int body, int first, int last) const;
  /// Puts `body` to rest in +-half, where it overlaps neither bodies 0..before-1 nor obstacles below `obstacle_end`,
  /// if 100 draws find such a place.
  void place(State& state, Draws& draws, int body, double half, int before, int obstacle_end) const;
  /// A new goal with its type, clear of bodies 0..before-1 and of obstacles.
  void spawn(State& state, Draws& draws, int i, int before) const;

  ParticleConfig config_;
  ParticlePhysics<double> physics_;
  Steering steering_;
  int n_, types_, targets_, obstacles_;
  double half_width_, reach_;
  double out_of_reach_;  // square of a distance that rounding cannot bring within reach
  bool chosen_only_;
};

}  // namespace paymaster

#include "worlds/particles/fields.hpp"
