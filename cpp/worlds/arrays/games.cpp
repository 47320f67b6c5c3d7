// Batches of worlds over arrays, compiled apart: in sizes, so that small games stay small.
#include "worlds/arrays/games.hpp"
#include "batch/memory.hpp"
#include "worlds/arrays/array_batch.hpp"

namespace paymaster {
namespace {

template <int Followers, int Goals>
std::unique_ptr<Batch> sized(const GameConfig& game, const BatchConfig& batch, Population people,
                             std::shared_ptr<ArrayGames> games, std::unique_ptr<ArrayRules> rules) {
  using World = ArrayWorld<Followers, Goals>;
  expect_room(batch.num_envs, GameBatch<World>::bytes_of_game(game),
              HistoryTable::bytes(people.size(), game.num_goals, game.num_bonuses, game.horizon));
  return std::make_unique<ArrayBatch<World>>(game, batch, std::move(people), std::move(games), std::move(rules));
}

}  // namespace

std::unique_ptr<Batch> array_games(const GameConfig& game, const BatchConfig& batch, Population people,
                                   std::shared_ptr<ArrayGames> games, std::unique_ptr<ArrayRules> rules) {
  const auto make = game.num_followers <= 8 && game.num_goals <= 8 ? sized<8, 8>
                    : game.num_followers <= 64                     ? sized<64, kMaxGoals>
                                                                   : sized<kMaxFollowers, kMaxGoals>;
  return make(game, batch, std::move(people), std::move(games), std::move(rules));
}

}  // namespace paymaster
