// What a world must offer to the game layer (game.hpp). A world knows bodies, moves, goals and routes, and nothing of
// offers, contracts and payments. It is a template argument of Game, so nothing here is virtual.
//
//   explicit World(const GameConfig&)         throws std::invalid_argument where the parameters do not fit together
//   struct State                              flat and trivially copyable
//   kName, kMaxFollowers, kMaxGoals           see WorldKind
//   kActions, kNoiseActions                   sizes; noise_action(i) names the i-th action that noise may play
//   reset(State&, Draws&)                     a new episode
//   refresh(State&)                           brings derived parts (distances, what is available) up to date
//   distance(state, k, g)                     planned actions before the one that reaches goal type g, -1 unreachable
//   available(state, g)                       goals of type g that are there to be taken
//   goal_objects(config)                      static: the most that there can be
//   plan(state, chosen, actions)              first action of each follower's route, or how it stops (chosen -1)
//   move(state, context, reached)             everybody moves; reached[k]: the goal types that k has reached
//   exhausted(state)                          nothing is left to do
//   observe(state, field), visit(state, field), validate(state)    fields.hpp; visit lists everything that refresh does not
//                                             derive: it is what a snapshot holds, and is read back through its setters
// and may offer
//   Parameters                                a WorldParameters (parameters.hpp) of its own: config.own<Parameters>()
//   body(config)                              static: how the networks see a follower's body, see BodyField
//   features(config)                          static: fields that are features as well, see FeatureField
//   draw_traits(config, draws, traits)        static: who its populations are, in place of GameConfig's uniform draws
//   team_fits(skill, n)                       static: whether n followers with these skills can play together. Then an
//                                             episode's followers are drawn until they fit, whatever their neighbours' kinds
//   planes(config)                            static: what it looks like cell by cell, see PlaneWorld
//   move(state, context, reached, earned)     in place of the other: a world that pays rewards of its own, see Earned
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "game/fields.hpp"
#include "game/parameters.hpp"
#include "game/types.hpp"

namespace paymaster {

class Batch;
class Population;
struct BatchConfig;
class Draws;
struct GameConfig;
struct Traits;

/// A field of the observation that shows followers' bodies to the networks. All of a world's make up at most kBodyFeatures
/// numbers a follower; the rest are 0.
struct BodyField {
  std::string name;
  int categories = 0;  // of an int16 field [N], shown one-hot; 0: a float32 field [N, 2], shown as two numbers,
  float scale = 1;     // divided by this and cut at +-2
};
inline constexpr int kBodyFeatures = 4;
inline constexpr int kMaxBodyFields = 2;

/// A field of the observation that a world adds to the features, behind those of every world.
struct FeatureField {
  std::string name;
  bool real;        // float32; else int16
  bool of_pair;     // [N, G], or [G] of any follower: a feature of each follower and goal type
  Shape shape;      // in a game; not of_pair: [N] or [N, n]
  float scale = 1;  // it is divided by this and cut at +-2
};

/// How a world of cells is shown as planes, one number a cell (features/planes.hpp). Its observation has `position` [N, 2]
/// and `heading` [N], 0 to 3; fields named here are int16.
struct PlaneWorld {
  int rows = 0, columns = 0;       // 0: it has no cells
  std::vector<std::uint8_t> wall;  // [rows * columns] 1 where nobody can stand; nothing else is shown there
  int types = 0;                   // of objects, a plane each
  int objects = 0;                 // M
  std::string object_type;         // field [M], 0 to types - 1, -1 once it is gone
  std::string object_position;     // field [M, 2]
  std::string amount;              // field [amounts]: a constant plane each, of the number as it is; empty: none
  int amounts = 0;
};

/// What is known of a world before there is one; KindOf<World> (batch/world_kind.hpp) is that of a C++ world.
class WorldKind {
 public:
  /// In snapshots it tells worlds with the same parameters apart, so it is never used twice.
  virtual const char* name() const = 0;
  virtual int max_followers() const = 0;
  virtual int max_goals() const = 0;
  virtual int actions() const = 0;  // primitive
  /// Its own, at their defaults; null: it has none.
  virtual std::unique_ptr<WorldParameters> parameters() const = 0;
  /// Of a type, the most that there can be.
  virtual int goal_objects(const GameConfig& config) const = 0;
  virtual std::vector<BodyField> body(const GameConfig& config) const = 0;
  virtual std::vector<FeatureField> features(const GameConfig& config) const = 0;
  /// Draws traits[config.population_size] and returns true, or returns false: they are drawn as any game's.
  virtual bool draw_traits(const GameConfig&, Draws&, Traits*) const { return false; }
  virtual PlaneWorld planes(const GameConfig&) const { return {}; }
  /// Games that play this world.
  virtual std::unique_ptr<Batch> games(const GameConfig& game, const BatchConfig& batch, Population people) const = 0;

 protected:
  constexpr ~WorldKind() = default;  // kinds are there as long as the program runs
};

/// What the game tells a world of one step; followers' entries are arrays of N.
struct MoveContext {
  const std::uint8_t* action = nullptr;    // primitive
  const GoalSet* skill = nullptr;          // goal types it can complete
  const std::int8_t* committed = nullptr;  // goal type the follower is committed to, -1
  const std::int8_t* chosen = nullptr;     // goal type it took, -1
  std::uint64_t seed = 0, environment = 0;
  std::int64_t episode = 0;
  std::int32_t step = 0;  // t, before the move
};

/// What a world pays by itself in a step, beside what contracts pay; all 0 when a world is asked to move.
struct Earned {
  float* follower;    // [N] to each: wages, fares, costs of effort
  double leader = 0;  // commission, damages
};

/// Whether a world pays rewards of its own.
template <class World>
concept Pays = requires(const World& world, typename World::State& state, const MoveContext& context, GoalSet* reached,
                        Earned& earned) { world.move(state, context, reached, earned); };

}  // namespace paymaster
