// Results depend neither on the number of threads nor on how a batch is split.
#include <doctest/doctest.h>

#include "support/maps.hpp"
#include "support/test_batch.hpp"
#include "tasks/tasks.hpp"

namespace paymaster::test {
namespace {

constexpr int kGames = 40;  // five pieces of the smallest size

GameConfig noisy(const char* task) {
  GameConfig config = find_task(task).preset;
  config.noise = 0.2;
  config.abstain = true;
  return config;
}

}  // namespace

TEST_CASE("1, 2 and 4 threads give identical results, statistics included") {
  for (const char* task :
       {"resource_collection", "multi_bonus_resource_collection_one_skill", "navigation", "predator_prey"}) {
    for (const Autoreset mode : {Autoreset::next_step, Autoreset::same_step, Autoreset::disabled}) {
      CAPTURE(task);
      const GameConfig config = noisy(task);
      const auto threaded = [&](int threads) {
        return BatchConfig{.num_envs = kGames, .seed = 5, .num_threads = threads, .autoreset = mode};
      };
      TestBatch one(config, threaded(1)), two(config, threaded(2)), four(config, threaded(4));
      CHECK(one.core().threads() == 1);
      CHECK(four.core().threads() == 4);
      OfferStream offers(1, config, kGames, 10);
      for (int t = 0; t < steps_to_play(80); ++t) {
        CAPTURE(t);
        const Offers& now = offers.next();
        const Results& expected = one.step(now);
        REQUIRE(two.step(now) == expected);
        REQUIRE(four.step(now) == expected);
      }
      // A snapshot holds every game's state and the statistics table, byte by byte.
      const std::string expected = one.core().snapshot();
      CHECK(two.core().snapshot() == expected);
      CHECK(four.core().snapshot() == expected);
      CHECK(one.core().statistics().acceptance == four.core().statistics().acceptance);
      CHECK(one.core().statistics().outcome_count == four.core().statistics().outcome_count);
      one.reset();
      four.reset();
      CHECK(four.results().observation == one.results().observation);
    }
  }
}

TEST_CASE("a table of statistics that threads share out by follower is the one that a single thread makes") {
  constexpr int kMany = 320;  // with four followers more events a step than one thread takes alone
  for (const int population : {5, 40}) {
    CAPTURE(population);
    GameConfig config = find_task("resource_collection").preset;
    config.population_size = population;
    const auto threaded = [&](int threads) {
      return BatchConfig{.num_envs = kMany, .seed = 5, .num_threads = threads};
    };
    TestBatch one(config, threaded(1)), three(config, threaded(3)), eight(config, threaded(8));
    OfferStream offers(1, config, kMany, 10);
    for (int t = 0; t < steps_to_play(70); ++t) {
      CAPTURE(t);
      const Offers& now = offers.next();
      const Results& expected = one.step(now);
      REQUIRE(three.step(now) == expected);
      REQUIRE(eight.step(now) == expected);
      const HistoryTable& table = one.core().statistics();
      for (TestBatch* shared : {&three, &eight}) {
        const HistoryTable& other = shared->core().statistics();
        REQUIRE(other.acceptance == table.acceptance);
        REQUIRE(other.acceptance_count == table.acceptance_count);
        REQUIRE(other.completion == table.completion);
        REQUIRE(other.outcome == table.outcome);
        REQUIRE(other.outcome_count == table.outcome_count);
      }
    }
    CHECK(one.core().snapshot() == eight.core().snapshot());
  }
}

TEST_CASE("game i of a batch is the single game of index i") {
  for (const char* task : {"multi_bonus_resource_collection", "predator_prey"}) {
    CAPTURE(task);
    const GameConfig config = noisy(task);
    TestBatch batch(config, {.num_envs = 6, .seed = 9, .first_index = 100, .num_threads = 2});
    std::vector<TestBatch> single;
    for (int i = 0; i < 6; ++i)
      single.emplace_back(config, BatchConfig{.seed = 9, .first_index = 100 + i, .num_threads = 1});
    OfferStream offers(2, config, 6, 10);
    const auto actions = static_cast<std::size_t>(config.num_followers * 2);
    for (int t = 0; t < steps_to_play(80); ++t) {
      CAPTURE(t);
      const Offers now = offers.next();
      const Results& all = batch.step(now);
      for (std::size_t i = 0; i < 6; ++i) {
        const Offers own(now.data() + i * actions, now.data() + (i + 1) * actions);
        const Results& alone = single[i].step(own);
        REQUIRE(alone.observation == all.observation.row(static_cast<int>(i), 6));
        REQUIRE(alone.reward[0] == all.reward[i]);
        REQUIRE(alone.terminated[0] == all.terminated[i]);
        REQUIRE(alone.gain[0] == all.gain[i]);
      }
    }
  }
}

TEST_CASE("the batch's seed and a seed a game mean the same; different seeds and indices differ") {
  const GameConfig config = find_task("resource_collection").preset;
  TestBatch a(config, {.num_envs = 3, .seed = 4, .num_threads = 1}),
      b(config, {.num_envs = 3, .seed = 8, .num_threads = 1});
  CHECK_FALSE(a.results().observation == b.results().observation);
  const std::uint64_t seeds[] = {4, 4, 4};
  b.reset(seeds);
  CHECK(a.results().observation == b.results().observation);
  const Rows& rows = a.results().observation;
  CHECK_FALSE(rows.row(0, 3) == rows.row(1, 3));
}

}  // namespace paymaster::test
