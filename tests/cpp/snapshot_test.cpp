// Snapshots restore bit for bit, and others than one's own are refused without a trace.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include "paymaster/registry.hpp"
#include "paymaster/snapshot.hpp"
#include "support/test_batch.hpp"

namespace paymaster::test {
namespace {

constexpr int kGames = 12;

GameConfig noisy() {
  GameConfig config = find_task("multi_bonus_resource_collection").preset;
  config.noise = 0.3;
  return config;
}

TestBatch batch_of(const GameConfig& config, int games = kGames, std::uint64_t seed = 2) {
  return TestBatch(config, {.num_envs = games, .seed = seed, .num_threads = 2});
}

void play(TestBatch& batch, OfferStream& offers, int steps) {
  for (int t = 0; t < steps; ++t) batch.step(offers.next());
}

/// Flips a bit of each of the bytes from, from + step, ... below `to`, and expects every such snapshot to be refused.
void check_damage_is_seen(std::size_t from, std::size_t to, std::size_t step) {
  TestBatch batch = batch_of(noisy(), 1);
  const std::string good = batch.core().snapshot();
  for (std::size_t at = from; at < std::min(to, good.size()); at += step) {
    CAPTURE(at);
    std::string damaged = good;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    CHECK_THROWS_AS(batch.core().restore(damaged), std::invalid_argument);
  }
  CHECK(batch.core().snapshot() == good);
}

}  // namespace

TEST_CASE("snapshot: what follows a restore is what followed the snapshot") {
  const GameConfig config = noisy();
  TestBatch batch = batch_of(config);
  OfferStream offers(4, config, kGames, 10);
  play(batch, offers, 37);  // into the second episode
  batch.core().statistics().frozen = true;
  const std::string saved = batch.core().snapshot();
  batch.core().statistics().frozen = false;
  CHECK(batch.core().snapshot() != saved);
  OfferStream first = offers, second = offers;
  batch.core().restore(saved);
  CHECK(batch.core().statistics().frozen);
  CHECK(batch.core().snapshot() == saved);
  batch.core().statistics().frozen = false;
  play(batch, first, 50);
  const std::string later = batch.core().snapshot();
  const Rows seen = batch.results().observation;
  CHECK(later != saved);

  SUBCASE("into the same batch") {}
  SUBCASE("into another batch, of another seed") { batch = batch_of(config, kGames, 99); }
  batch.core().restore(saved);
  batch.core().statistics().frozen = false;
  play(batch, second, 50);
  CHECK(batch.core().snapshot() == later);
  CHECK(batch.results().observation == seen);
}

TEST_CASE("restore: refuses what is not a snapshot of these games, and changes nothing") {
  const GameConfig config = noisy();
  TestBatch batch = batch_of(config);
  OfferStream offers(4, config, kGames, 10);
  play(batch, offers, 5);
  const std::string good = batch.core().snapshot();
  play(batch, offers, 1);
  const std::string now = batch.core().snapshot();
  const auto refused = [&](const std::string& bytes) {
    std::string message = "no error";
    try {
      batch.core().restore(bytes);
    } catch (const std::invalid_argument& error) {
      message = error.what();
    }
    CHECK(batch.core().snapshot() == now);
    return message;
  };
  CHECK(refused("").rfind("snapshot: expected at least", 0) == 0);
  CHECK(refused(std::string(100, 'x')) == "snapshot: expected bytes of env.snapshot(), got something else");
  CHECK(refused(good.substr(0, good.size() - 1)).rfind("snapshot: expected " + std::to_string(good.size()), 0) == 0);
  CHECK(refused(good + "x").rfind("snapshot: expected " + std::to_string(good.size()), 0) == 0);
  CHECK(refused(batch_of(config, 11).core().snapshot()) == "snapshot: expected 12 games, got 11");
  std::string other_version = good;
  ++other_version[8];
  CHECK(refused(other_version) == "snapshot: expected version 4, got 5");
  for (const auto change :
       {+[](GameConfig& c) { c.noise = 0.2; }, +[](GameConfig& c) { c.horizon = 29; },
        +[](GameConfig& c) { c.payment = "completion"; }, +[](GameConfig& c) { c.population_seed = 1; }}) {
    GameConfig other = config;
    change(other);
    CHECK(refused(batch_of(other).core().snapshot()) ==
          "snapshot: expected a snapshot of games with the same options and population, got one of others");
  }
  CHECK_NOTHROW(batch.core().restore(good));
  CHECK(batch.core().snapshot() == good);
}

TEST_CASE("restore: refuses a damaged snapshot, whichever byte it is") {
  check_damage_is_seen(0, sizeof(SnapshotHeader), 1);
  check_damage_is_seen(sizeof(SnapshotHeader), SIZE_MAX, 997);
}

}  // namespace paymaster::test
