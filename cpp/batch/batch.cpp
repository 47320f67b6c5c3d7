#include "batch/batch.hpp"

#include <algorithm>
#include <cstring>

#include "batch/snapshot.hpp"
#include "game/check.hpp"

namespace paymaster {
namespace {

void check_table(const std::vector<float>& values, std::size_t size, double lowest, const char* name) {
  expect(values.empty() || values.size() == size, name, std::to_string(size) + " numbers", values.size());
  for (const float value : values) expect_range(static_cast<double>(value), lowest, kMaxPrice, name);
}

}  // namespace

void check_population(const GameConfig& game, const Population& people) {
  expect(people.size() == game.population_size, "population", std::to_string(game.population_size) + " followers",
         people.size());
  for (int i = 0; i < people.size(); ++i) {
    expect_range<int>(people[i].preference, 0, game.num_goals - 1, "population preference");
    expect_range(people[i].reservation, 0.0f, kMaxReservation, "population reservation");
  }
  const Tastes& tastes = people.tastes();
  const auto size = static_cast<std::size_t>(people.size()), goals = static_cast<std::size_t>(game.num_goals);
  check_table(tastes.utility, size * goals, -kMaxPrice, "population utility");
  check_table(tastes.cost, size * goals, 0, "population cost");
  check_table(tastes.weight, size, 0, "population weight");
  const auto positive = std::count_if(tastes.weight.begin(), tastes.weight.end(), [](float w) { return w > 0; });
  expect(tastes.weight.empty() || positive >= game.num_followers, "population weight",
         "more than 0 for num_followers = " + std::to_string(game.num_followers) + " at least", positive);
  const auto charged = [&](float cost) { return cost == static_cast<float>(game.effort_cost); };
  expect(game.effort_cost == 0 || std::all_of(tastes.cost.begin(), tastes.cost.end(), charged), "effort_cost",
         "0 where the population has a cost of its own", number_text(game.effort_cost));
}

void refuse_unbegun(const char* call, std::size_t game) {
  throw NotReset(std::string(call) + ": expected reset() before it, got none for game " + std::to_string(game));
}

std::uint64_t fingerprint(const GameConfig& config, const Population& population) {
  std::uint64_t hash = fingerprint(config.world->name(), std::strlen(config.world->name()));
  GameConfig::visit(config, [&](const char* name, const auto& value, auto&&...) {
    hash = fingerprint(name, std::strlen(name), hash);
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
      hash = fingerprint(value.data(), value.size(), hash);
    } else if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::vector<double>>) {
      hash = fingerprint(value.data(), value.size() * sizeof(double), hash);
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
  const Tastes& tastes = population.tastes();
  for (const std::vector<float>* table : {&tastes.utility, &tastes.cost, &tastes.weight}) {
    const std::size_t count = table->size();
    hash = fingerprint(table->data(), count * sizeof(float), fingerprint(&count, sizeof count, hash));
  }
  return hash;
}

std::unique_ptr<Batch> make_batch(const GameConfig& game, const BatchConfig& batch, const Population* population) {
  expect_range(batch.num_envs, 1, 1 << 24, "num_envs");
  expect_range(batch.num_threads, 0, 1024, "num_threads");
  expect_range(batch.first_index, std::int64_t{0}, kMaxFirstIndex, "first_index");
  game.validate();
  if (population != nullptr) check_population(game, *population);
  Population people = population != nullptr ? *population : Population::drawn(game);
  if (people.tastes().cost.empty()) people.charge(game.effort_cost, game.num_goals);
  return game.world->games(game, batch, std::move(people));
}

}  // namespace paymaster
