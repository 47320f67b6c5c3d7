// Snapshots restore bit for bit, and others than one's own are refused without a trace.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "batch/snapshot.hpp"
#include "support/test_batch.hpp"
#include "tasks/tasks.hpp"

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

/// The snapshot with the checksum that belongs to what it says.
std::string sealed(std::string bytes) {
  SnapshotHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  header.checksum = checksum_of(header, bytes);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

std::vector<GameConfig> every_task() {
  std::vector<GameConfig> all;
  for (const Task& task : tasks()) {
    all.push_back(task.preset);
    all.back().population_size = std::max(6, task.preset.num_followers);
    all.back().horizon = 7;
    all.back().noise = 0.2;
  }
  return all;
}

}  // namespace

TEST_CASE("snapshot: of every task, what follows a restore into other games is what followed the snapshot") {
  for (const GameConfig& config : every_task()) {
    TestBatch batch = batch_of(config), other = batch_of(config, kGames, 99);
    const std::string made = batch.core().snapshot();
    batch.reset();
    OfferStream offers(4, config, kGames, 10);
    play(batch, offers, 10);  // into the second episode
    const std::string saved = batch.core().snapshot();
    other.core().restore(saved);
    CHECK(other.core().snapshot() == saved);
    OfferStream again = offers;
    play(batch, offers, 20);
    play(other, again, 20);
    CHECK(other.core().snapshot() == batch.core().snapshot());
    CHECK(other.results() == batch.results());
    // A game that had not begun has not begun.
    other.core().restore(made);
    CHECK(other.core().snapshot() == made);
    CHECK_THROWS_AS(other.core().step(offers.next().data(), nullptr, {}), NotReset);
  }
}

TEST_CASE("restore: what somebody has made up is refused without a trace, or is a game that plays on") {
  for (const GameConfig& config : every_task()) {
    TestBatch batch = batch_of(config, 2);
    batch.reset();
    OfferStream offers(4, config, 2, 30);
    play(batch, offers, 4);
    const std::string good = batch.core().snapshot();
    Random random(7);
    int refused = 0, taken = 0;
    for (int trial = 0; trial < steps_to_play(400); ++trial) {
      std::string forged = good;
      const int changes = 1 + random.below(3);
      for (int i = 0; i < changes; ++i) {
        const int place = static_cast<int>(sizeof(SnapshotHeader)) + random.below(900);
        const int values[] = {0, 1, 2, 127, 128, 255, random.below(256)};
        forged[static_cast<std::size_t>(place)] = static_cast<char>(values[random.below(7)]);
      }
      forged = sealed(forged);
      try {
        batch.core().restore(forged);
      } catch (const std::invalid_argument& error) {
        CAPTURE(error.what());
        REQUIRE(std::string(error.what()).rfind("snapshot: ", 0) == 0);
        REQUIRE(batch.core().snapshot() == good);
        ++refused;
        continue;
      }
      ++taken;
      REQUIRE(batch.core().snapshot() == forged);
      play(batch, offers, 12);
      batch.core().restore(batch.core().snapshot());
      batch.core().restore(good);
    }
    CHECK(refused > 0);
    CHECK(taken > 0);
  }
}

TEST_CASE("restore: a table of statistics holds rates and counts, the header flags") {
  TestBatch batch = batch_of(noisy(), 1);
  const std::string good = batch.core().snapshot();
  SnapshotHeader header;
  std::memcpy(&header, good.data(), sizeof header);
  const std::size_t acceptance = sizeof header + header.state_bytes;
  const std::size_t counts = acceptance + batch.core().statistics().acceptance.size() * sizeof(float);
  const auto with = [&](std::size_t at, auto value) {
    std::string forged = good;
    std::memcpy(forged.data() + at, &value, sizeof value);
    return sealed(forged);
  };
  for (const float rate : {-0.1f, 1.1f, std::numeric_limits<float>::quiet_NaN()})
    CHECK_THROWS_AS(batch.core().restore(with(acceptance, rate)), std::invalid_argument);
  for (const std::int64_t count : {std::int64_t{-1}, INT64_MAX})
    CHECK_THROWS_AS(batch.core().restore(with(counts, count)), std::invalid_argument);
  CHECK_THROWS_AS(batch.core().restore(with(offsetof(SnapshotHeader, frozen), std::uint64_t{2})),
                  std::invalid_argument);
  CHECK(batch.core().snapshot() == good);
  CHECK_NOTHROW(batch.core().restore(with(acceptance, 0.25f)));
  CHECK(batch.core().statistics().acceptance[0] == 0.25f);
}

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
  CHECK(refused(other_version) == "snapshot: expected version 7, got 8");
  for (const auto change :
       {+[](GameConfig& c) { c.noise = 0.2; }, +[](GameConfig& c) { c.horizon = 29; },
        +[](GameConfig& c) { c.payment = "completion"; }, +[](GameConfig& c) { c.population_seed = 1; }}) {
    GameConfig other = config;
    change(other);
    CHECK(refused(batch_of(other).core().snapshot()) ==
          "snapshot: expected a snapshot of games with the same parameters and population, got one of others");
  }
  CHECK_NOTHROW(batch.core().restore(good));
  CHECK(batch.core().snapshot() == good);
}

TEST_CASE("restore: refuses a damaged snapshot, whichever byte it is") {
  check_damage_is_seen(0, sizeof(SnapshotHeader), 1);
  check_damage_is_seen(sizeof(SnapshotHeader), SIZE_MAX, 997);
}

}  // namespace paymaster::test
