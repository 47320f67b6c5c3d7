// What a world must offer to the game layer (game.hpp). A world knows bodies, moves, goals and routes, and nothing of
// offers, contracts and payments. It is a template argument of Game, so nothing here is virtual.
//
//   explicit World(const GameConfig&)         throws std::invalid_argument where the parameters do not fit together
//   struct State                              flat and trivially copyable
//   kKey, kMaxFollowers                       see WorldKind
//   kActions, kNoiseActions                   sizes; noise_action(i) names the i-th action that noise may play
//   reset(State&, Draws&)                     a new episode
//   refresh(State&)                           brings derived parts (distances, what is available) up to date
//   distance(state, k, g)                     planned actions before the one that reaches goal type g, -1 unreachable
//   available(state, g)                       goals of type g that are there to be taken
//   goal_objects(config)                      static: the most that there can be
//   plan(state, chosen, actions)              first action of each follower's route, or how it stops (chosen -1)
//   move(state, context, reached)             everybody moves; bit g of reached[k]: k has reached a goal of type g
//   exhausted(state)                          nothing is left to do
//   observe(state, field), visit(state, field), validate(state)    fields.hpp; visit lists everything that refresh does not
//                                             derive: it is what a snapshot holds, and is read back through its setters
// and may offer
//   Parameters                                a WorldParameters (parameters.hpp) of its own: config.own<Parameters>()
//   body(config)                              static: how the networks see a follower's body, see BodyField
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "game/parameters.hpp"

namespace paymaster {

class Batch;
class Population;
struct BatchConfig;
struct GameConfig;

/// A field of the observation that shows followers' bodies to the networks. All of a world's make up at most kBodyFeatures
/// numbers a follower; the rest are 0.
struct BodyField {
  const char* name;
  int categories = 0;  // of an int16 field [N], shown one-hot; 0: a float32 field [N, 2], shown as two numbers,
  float scale = 1;     // divided by this and cut at +-2
};
inline constexpr int kBodyFeatures = 4;
inline constexpr int kMaxBodyFields = 2;

/// What is known of a world before there is one; kind_of<World> (batch/world_kind.hpp) makes it.
struct WorldKind {
  std::uint8_t key;  // in snapshots: tells worlds with the same parameters apart, so it is never used twice
  int max_followers;
  std::unique_ptr<WorldParameters> (*parameters)();  // its own, at their defaults; null: it has none
  int (*goal_objects)(const GameConfig&);            // of a type, the most that there can be
  std::vector<BodyField> (*body)(const GameConfig&);
  std::unique_ptr<Batch> (*games)(const GameConfig&, const BatchConfig&, Population);  // that play this world
};

/// What the game tells a world of one step; followers' entries are arrays of N.
struct MoveContext {
  const std::uint8_t* action = nullptr;    // primitive
  const std::uint8_t* skill = nullptr;     // bit g: can complete goal type g
  const std::int8_t* committed = nullptr;  // goal type the follower is committed to, -1
  const std::int8_t* chosen = nullptr;     // goal type it took, -1
  std::uint64_t seed = 0, environment = 0;
  std::int64_t episode = 0;
  std::int32_t step = 0;  // t, before the move
};

}  // namespace paymaster
