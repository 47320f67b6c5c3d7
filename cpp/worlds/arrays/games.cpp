// Batches of worlds over arrays, compiled apart: in sizes, so that small games stay small.
#include "worlds/arrays/games.hpp"
#include "batch/memory.hpp"
#include "worlds/arrays/array_batch.hpp"

namespace paymaster {

extern template class ArrayBatch<ArrayWorld<8, 8>>;  // small_games.cpp

namespace {

template <int Followers, int Goals>
std::unique_ptr<Batch> sized(const GameConfig& game, const BatchConfig& batch, Population people,
                             std::shared_ptr<ArrayGames> games, std::unique_ptr<ArrayRules> rules) {
  using World = ArrayWorld<Followers, Goals>;
  return std::make_unique<ArrayBatch<World>>(game, batch, std::move(people), std::move(games), std::move(rules));
}

/// Calls f<Followers, Goals>() with the smallest room that holds the game.
template <class F>
auto with_room(const GameConfig& game, F&& f) {
  if (game.num_followers <= 8 && game.num_goals <= 8) return f.template operator()<8, 8>();
  if (game.num_followers <= 64) return f.template operator()<64, kMaxGoals>();
  return f.template operator()<kMaxFollowers, kMaxGoals>();
}

}  // namespace

void expect_room_for_arrays(const GameConfig& game, const BatchConfig& batch, int population) {
  const std::size_t state = with_room(
      game, [&]<int Followers, int Goals>() { return GameBatch<ArrayWorld<Followers, Goals>>::bytes_of_game(game); });
  expect_room(batch.num_envs, state + ArrayGames::bytes_of_game(game.num_followers, game.num_goals),
              HistoryTable::bytes(population, game.num_goals, game.num_bonuses, game.horizon));
}

std::unique_ptr<Batch> array_games(const GameConfig& game, const BatchConfig& batch, Population people,
                                   std::shared_ptr<ArrayGames> games, std::unique_ptr<ArrayRules> rules) {
  return with_room(game, [&]<int Followers, int Goals>() {
    return sized<Followers, Goals>(game, batch, std::move(people), std::move(games), std::move(rules));
  });
}

}  // namespace paymaster
