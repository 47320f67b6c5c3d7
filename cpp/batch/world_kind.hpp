// A world for the table of tasks: kKind<World>, or kind_of<World>(games) for one that comes in several sizes.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "batch/game_batch.hpp"
#include "batch/memory.hpp"

namespace paymaster {

template <class World>
std::unique_ptr<Batch> games_of(const GameConfig& game, const BatchConfig& batch, Population people) {
  expect_room(batch.num_envs, GameBatch<World>::bytes_of_game(game),
              HistoryTable::bytes(people.size(), game.num_goals, game.num_bonuses, game.horizon));
  return std::make_unique<GameBatch<World>>(game, batch, std::move(people), World(game));
}

template <class World>
std::unique_ptr<WorldParameters> parameters_of() {
  if constexpr (requires { typename World::Parameters; }) return std::make_unique<typename World::Parameters>();
  else return nullptr;
}

template <class World>
std::vector<BodyField> body_of(const GameConfig& config) {
  if constexpr (requires { World::body(config); }) return World::body(config);
  else return {};  // distances say all there is
}

/// A world for the table of tasks; `games` where it comes in several sizes.
template <class World>
constexpr WorldKind kind_of(decltype(WorldKind::games) games = games_of<World>) {
  return {World::kKey, World::kMaxFollowers, parameters_of<World>, World::goal_objects, body_of<World>, games};
}

template <class World>
inline constexpr WorldKind kKind = kind_of<World>();

}  // namespace paymaster
