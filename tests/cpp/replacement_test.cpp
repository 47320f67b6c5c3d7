// Followers who leave the population for others: the rest stays, bad calls change nothing.
#include <doctest/doctest.h>

#include <stdexcept>

#include "support/test_batch.hpp"
#include "tasks/tasks.hpp"

namespace paymaster::test {
namespace {

constexpr int kGames = 9;

bool equal(const Traits& one, const Traits& other) {
  return one.skill == other.skill && one.preference == other.preference && one.reservation == other.reservation;
}

/// Games that wait at the end of an episode, with something learned of everybody.
TestBatch ended(const GameConfig& config, int threads = 1) {
  TestBatch batch(config, {.num_envs = kGames, .seed = 3, .num_threads = threads, .autoreset = Autoreset::disabled});
  batch.reset();
  OfferStream offers(1, config, kGames, 10);
  for (int t = 0; t < config.horizon; ++t) batch.step(offers.next());
  HistoryTable& table = batch.core().statistics();
  for (std::size_t i = 0; i < table.outcome_count.size(); ++i)
    table.outcome_count[i] = static_cast<std::int64_t>(i + 1);
  return batch;
}

std::string refused(Batch& batch, const std::vector<int>& identities, std::int64_t seed) {
  const std::string before = batch.snapshot();  // its header has the population's fingerprint
  std::string message = "no error";
  try {
    batch.replace_followers(identities, seed);
  } catch (const std::invalid_argument& error) {
    message = error.what();
  }
  CHECK(batch.snapshot() == before);
  return message;
}

}  // namespace

TEST_CASE("replace_followers: others' traits and an empty row for the members named, all else as it was") {
  for (const Task& task : tasks()) {
    CAPTURE(task.name);
    TestBatch batch = ended(task.preset);
    const Population before = batch.core().population();
    const HistoryTable table = batch.core().statistics();
    GameConfig strangers = task.preset;
    strangers.population_seed = 8;
    const Population drawn = Population::drawn(strangers);
    batch.core().replace_followers({0, 39, 7}, 8);
    const Population& after = batch.core().population();
    const HistoryTable& now = batch.core().statistics();
    for (int i = 0; i < 40; ++i) {
      CAPTURE(i);
      const bool leaves = i == 0 || i == 7 || i == 39;
      CHECK(equal(after[i], leaves ? drawn[i] : before[i]));
      const auto kept_or_empty = [&](const auto& values, const auto& were) {
        const std::size_t row = values.size() / 40;
        for (std::size_t at = static_cast<std::size_t>(i) * row; at < static_cast<std::size_t>(i + 1) * row; ++at)
          REQUIRE(values[at] == (leaves ? 0 : were[at]));
      };
      kept_or_empty(now.acceptance, table.acceptance);
      kept_or_empty(now.acceptance_count, table.acceptance_count);
      kept_or_empty(now.completion, table.completion);
      kept_or_empty(now.outcome, table.outcome);
      kept_or_empty(now.outcome_count, table.outcome_count);
    }
  }
}

TEST_CASE("replace_followers: the next episodes do not depend on threads") {
  const GameConfig& config = find_task("multi_bonus_resource_collection").preset;
  TestBatch one = ended(config, 1), three = ended(config, 3);
  for (const TestBatch* batch : {&one, &three}) batch->core().replace_followers({1, 2, 3, 4, 5}, 77);
  one.reset();
  three.reset();
  OfferStream offers(2, config, kGames, 10);
  for (int t = 0; t < config.horizon; ++t) {
    const Offers& now = offers.next();
    REQUIRE(one.step(now) == three.step(now));
  }
  CHECK(one.core().snapshot() == three.core().snapshot());
}

TEST_CASE("replace_followers: neighbours in the draw differ in the new kinds of skill") {
  const GameConfig& config = find_task("resource_collection_one_skill").preset;
  std::vector<int> everybody(40);
  for (int i = 0; i < 40; ++i) everybody[static_cast<std::size_t>(i)] = i;
  for (std::int64_t seed = 1; seed < 30; ++seed) {
    TestBatch fresh(config, {.num_envs = kGames, .seed = 3});
    fresh.core().replace_followers(everybody, seed);  // never reset: drawn again
    StateArrays state(fresh.core());
    state.read(fresh.core());
    for (int game = 0; game < kGames; ++game) {
      const std::int32_t* identity = state.row<std::int32_t>("identity", game);
      const bool* skill = state.row<bool>("skill", game);
      for (int k = 0; k < 4; ++k) {
        for (int g = 0; g < 4; ++g)
          REQUIRE(skill[4 * k + g] == ((fresh.core().population()[identity[k]].skill >> g & 1) == 1));
        if (k > 0)
          REQUIRE(fresh.core().population()[identity[k]].skill != fresh.core().population()[identity[k - 1]].skill);
      }
    }
  }
}

TEST_CASE("replace_followers: refuses what makes no sense, and changes nothing") {
  const GameConfig& config = find_task("resource_collection").preset;
  TestBatch batch = ended(config);
  CHECK(refused(batch.core(), {3, 40}, 1) == "identities: expected a value in [0, 39], got 40");
  CHECK(refused(batch.core(), {-1}, 1) == "identities: expected a value in [0, 39], got -1");
  CHECK(refused(batch.core(), {5, 2, 5}, 1) == "identities: expected different members, got 5 twice");
  CHECK(refused(batch.core(), {5}, -1).rfind("seed: expected a value in [0, ", 0) == 0);
  batch.reset();
  CHECK(refused(batch.core(), {5}, 1) ==
        "replace_followers: expected every game between episodes: finished, or never reset, got game 0 at step 0 of "
        "episode 1");
}

}  // namespace paymaster::test
