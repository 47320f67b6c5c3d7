// What a world must offer to the game layer (game.hpp). A world knows bodies, moves, goals and routes, and nothing of
// offers, contracts and payments. It is a template argument of Game, so nothing here is virtual.
//
//   explicit World(const GameConfig&)         throws std::invalid_argument where the options do not fit together
//   struct State                              flat and trivially copyable
//   kKey, kMaxFollowers, kOwnOptions          see WorldKind (config.hpp)
//   kActions, kNoiseActions                   sizes; noise_action(i) names the i-th action that noise may play
//   reset(State&, Draws&)                     a new episode
//   refresh(State&)                           brings derived parts (distances, what is available) up to date
//   distance(state, k, g)                     planned actions before the one that reaches goal type g, -1 unreachable
//   available(state, g), goal_objects()       goals of type g that are there to be taken; the most that there can be
//   plan(state, chosen, actions)              first action of each follower's route, or how it stops (chosen -1)
//   move(state, context, reached)             everybody moves; bit g of reached[k]: k has reached a goal of type g
//   exhausted(state)                          nothing is left to do
//   observe(state, field), visit(state, field), validate(state)    fields.hpp; visit lists everything that refresh does not
//                                             derive: it is what a snapshot holds, and is read back through its setters
#pragma once

#include <cstdint>

namespace paymaster {

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
