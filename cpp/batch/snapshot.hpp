// Snapshots of a batch: all of its games and statistics, exactly, with enough of a header to refuse a snapshot of another
// version, of other parameters or of other games, and a checksum to refuse a damaged one.
//
// A game is written field by field, as the world lists them, and read through the same checks as set_state: so a snapshot
// that somebody has made up is refused, or is a game that can be played. What refresh() derives is not in it.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "batch/game_batch.hpp"

namespace paymaster {

/// FNV-1a over bytes.
inline std::uint64_t fingerprint(const void* data, std::size_t size, std::uint64_t hash = 0xcbf29ce484222325) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 0x100000001b3;
  return hash;
}

/// Of every parameter, the population included: two batches with equal fingerprints play by the same rules.
std::uint64_t fingerprint(const GameConfig& config, const Population& population);

struct SnapshotHeader {
  char magic[8] = {'p', 'a', 'y', 'm', 's', 'n', 'a', 'p'};
  std::uint32_t version = 7;
  std::uint32_t games = 0;
  std::uint64_t rules = 0;  // fingerprint of parameters and population
  std::uint64_t state_bytes = 0, table_bytes = 0;
  std::uint64_t frozen = 0;
  std::uint64_t checksum = 0;  // of the header, as if this were 0, and of what follows it
};

inline std::uint64_t checksum_of(SnapshotHeader header, const std::string& bytes) {
  header.checksum = 0;
  return fingerprint(bytes.data() + sizeof header, bytes.size() - sizeof header, fingerprint(&header, sizeof header));
}

/// Calls visitor(name, values, highest) for each array of the table.
template <class Table, class Visitor>
void visit_table(Table& t, Visitor&& visitor) {
  visitor("acceptance", t.acceptance, 1.0f);
  visitor("acceptance_count", t.acceptance_count, HistoryTable::kMostTrials);
  visitor("completion", t.completion, 1.0f);
  visitor("outcome", t.outcome, 1.0f);
  visitor("outcome_count", t.outcome_count, HistoryTable::kMostTrials);
}

inline std::size_t table_bytes(const HistoryTable& t) {
  std::size_t bytes = 0;
  visit_table(t, [&](const char*, const auto& values, auto) { bytes += values.size() * sizeof(values[0]); });
  return bytes;
}

/// Visits what a game has beside the fields of its state, as such fields.
template <class World, class Visitor>
void visit_keys(GameState<World>& s, const Game<World>& game, Visitor&& field) {
  const auto number = [&](const char* name, auto& member, auto low, auto high) {
    using T = std::remove_reference_t<decltype(member)>;
    field(
        name, "", Shape{}, T{}, [&](int, int) { return member; },
        [&](int, int, T value) {
          expect_range<T>(value, low, high, name);
          member = value;
        });
  };
  number("seed", s.seed, 0, UINT64_MAX);
  number("environment", s.environment, 0, UINT64_MAX);
  number("pristine", s.pristine, false, true);
  auto& t = s.totals;
  // Far above what an episode comes to, and low enough to add to.
  constexpr float kMost = 1e30f;
  constexpr std::int32_t kMany = INT32_MAX - kMaxFollowers * kMaxHorizon;
  number("gain", t.gain, -kMost, kMost);
  number("payments", t.payments, 0.0f, kMost);
  number("incentive", t.incentive, 0.0f, kMost);
  number("follower_reward", t.follower_reward, game.followers_may_pay() ? -kMost : 0.0f, kMost);
  number("new_offers", t.new_offers, 0, kMany);
  number("length", t.length, 0, game.config().horizon);
  for (int g = 0; g < game.config().num_goals; ++g) number("completions", t.completions[g], 0, kMany);
  number("welfare", t.welfare, -kMost, kMost);
  number("objective", t.objective, -kMost, kMost);
}

template <class World>
std::size_t GameBatch<World>::packed_bytes() const {
  State s = states_[0];
  CountBytes count;
  visit_keys(s, game_, count);
  game_.visit(s, count);
  return count.bytes;
}

template <class World>
void GameBatch<World>::pack(State s, char* to) const {
  PackState packed{to};
  visit_keys(s, game_, packed);
  game_.visit(s, packed);
}

template <class World>
void GameBatch<World>::unpack(const char* from, State& s) const {
  UnpackState packed{from};
  visit_keys(s, game_, packed);
  game_.visit(s, packed);
  game_.validate(s);
  game_.world().refresh(s.world);
  if (!s.pristine) return;
  State fresh = s;
  game_.reset(fresh);
  std::string was(packed_bytes(), '\0'), is = was;
  pack(fresh, was.data());
  pack(s, is.data());
  expect(was == is, "pristine", "the game as it was made", "another");
}

template <class World>
std::string GameBatch<World>::snapshot() const {
  const CallGuard::Call call(*guard(), calls::snapshot);
  SnapshotHeader header;
  std::string bytes(sizeof header, '\0');
  const std::size_t game_bytes = packed_bytes();
  bytes.resize(sizeof header + states_.size() * game_bytes);
  for (std::size_t i = 0; i < states_.size(); ++i) pack(states_[i], bytes.data() + sizeof header + i * game_bytes);
  visit_table(table_, [&](const char*, const auto& values, auto) {
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0]));
  });
  header.games = static_cast<std::uint32_t>(states_.size());
  header.rules = fingerprint(game_.config(), game_.population());
  header.state_bytes = game_bytes;
  header.table_bytes = table_bytes(table_);
  header.frozen = table_.frozen;
  header.checksum = checksum_of(header, bytes);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

template <class World>
void GameBatch<World>::restore(const std::string& bytes) {
  const CallGuard::Call call(*guard(), calls::restore);
  check_snapshot(bytes);
  std::vector<State> candidate = unpack_all(bytes.data() + sizeof(SnapshotHeader));
  // From here on nothing can fail.
  take_over(std::move(candidate), bytes);
}

template <class World>
void GameBatch<World>::check_snapshot(const std::string& bytes) const {
  SnapshotHeader header;
  const SnapshotHeader ours;
  expect(bytes.size() >= sizeof header, "snapshot", "at least " + std::to_string(sizeof header) + " bytes",
         bytes.size());
  std::memcpy(&header, bytes.data(), sizeof header);
  expect(std::memcmp(header.magic, ours.magic, sizeof ours.magic) == 0, "snapshot", "bytes of env.snapshot()",
         "something else");
  expect(header.version == ours.version, "snapshot", "version " + std::to_string(ours.version), header.version);
  expect(header.games == states_.size(), "snapshot", std::to_string(states_.size()) + " games", header.games);
  expect(header.rules == fingerprint(game_.config(), game_.population()) && header.state_bytes == packed_bytes(),
         "snapshot", "a snapshot of games with the same parameters and population", "one of others");
  const std::size_t of_games = states_.size() * packed_bytes(), of_table = table_bytes(table_);
  const std::size_t expected = sizeof header + of_games + of_table;
  expect(bytes.size() == expected, "snapshot", std::to_string(expected) + " bytes", bytes.size());
  expect(header.table_bytes == of_table && checksum_of(header, bytes) == header.checksum, "snapshot", "intact bytes",
         "damaged ones (checksum)");
  expect_range(header.frozen, std::uint64_t{0}, std::uint64_t{1}, "snapshot: frozen");
  check_table(bytes.data() + sizeof header + of_games);
}

template <class World>
void GameBatch<World>::take_over(std::vector<State> games, const std::string& bytes) {
  SnapshotHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  states_ = std::move(games);
  const char* in = bytes.data() + sizeof header + states_.size() * packed_bytes();
  visit_table(table_, [&](const char*, auto& values, auto) {
    std::memcpy(values.data(), in, values.size() * sizeof(values[0]));
    in += values.size() * sizeof(values[0]);
  });
  table_.frozen = header.frozen != 0;
  look_for_pristine();
}

template <class World>
void GameBatch<World>::check_table(const char* in) const {
  visit_table(table_, [&](const char* name, const auto& values, auto highest) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      auto value = highest;
      std::memcpy(&value, in, sizeof value);
      in += sizeof value;
      if (!(value >= 0 && value <= highest))
        expect_range(value, decltype(value){0}, highest, std::string("snapshot: ") + name);
    }
  });
}

template <class World>
std::vector<typename GameBatch<World>::State> GameBatch<World>::unpack_all(const char* games) {
  std::vector<State> candidate(states_.size());
  clear(candidate);
  const std::size_t game_bytes = packed_bytes();
  pool_.run(size(), kSmallestPiece, [&](int begin, int end) {
    for (int i = begin; i < end; ++i) {
      const auto at = static_cast<std::size_t>(i);
      try {
        unpack(games + at * game_bytes, candidate[at]);
      } catch (const std::invalid_argument& error) {
        reject("snapshot", "games that can be played",
               std::string(error.what()) + " (in game " + std::to_string(i) + ")");
      }
    }
  });
  return candidate;
}

}  // namespace paymaster
