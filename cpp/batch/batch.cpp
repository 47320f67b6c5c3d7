#include "batch/batch.hpp"

#include <cstring>

#include "batch/snapshot.hpp"
#include "game/check.hpp"

namespace paymaster {
namespace {

void check_traits(const GameConfig& game, const std::vector<Traits>& population) {
  expect(static_cast<int>(population.size()) == game.population_size, "population",
         std::to_string(game.population_size) + " followers", population.size());
  for (const Traits& t : population) {
    expect_range<int>(t.preference, 0, game.num_goals - 1, "population preference");
    expect_range(t.reservation, 0.0f, kMaxReservation, "population reservation");
  }
}

}  // namespace

void refuse_unbegun(const char* call, std::size_t game) {
  throw NotReset(std::string(call) + ": expected reset() before it, got none for game " + std::to_string(game));
}

std::uint64_t fingerprint(const GameConfig& config, const Population& population) {
  std::uint64_t hash = fingerprint(config.world->name(), std::strlen(config.world->name()));
  GameConfig::visit(config, [&](const char* name, const auto& value, auto&&...) {
    hash = fingerprint(name, std::strlen(name), hash);
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
      hash = fingerprint(value.data(), value.size(), hash);
    } else {
      hash = fingerprint(&value, sizeof value, hash);
    }
  });
  for (int i = 0; i < population.size(); ++i) {
    const Traits& t = population[i];
    hash = fingerprint(&t.skill, sizeof t.skill, hash);
    hash = fingerprint(&t.preference, 1, hash);
    hash = fingerprint(&t.reservation, sizeof t.reservation, hash);
    hash = fingerprint(&t.learns, sizeof t.learns, hash);
  }
  return hash;
}

std::unique_ptr<Batch> make_batch(const GameConfig& game, const BatchConfig& batch,
                                  const std::vector<Traits>* population) {
  expect_range(batch.num_envs, 1, 1 << 24, "num_envs");
  expect_range(batch.num_threads, 0, 1024, "num_threads");
  expect_range(batch.first_index, std::int64_t{0}, kMaxFirstIndex, "first_index");
  game.validate();
  if (population != nullptr) check_traits(game, *population);
  Population people = population != nullptr ? Population(*population) : Population::drawn(game);
  return game.world->games(game, batch, std::move(people));
}

}  // namespace paymaster
