// Snapshots of a batch: an opaque, exact copy of games and statistics, with enough of a header to refuse a snapshot of
// another version, of other options or of other games, and a checksum to refuse a damaged one.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "paymaster/game_batch.hpp"

namespace paymaster {

/// FNV-1a over bytes.
inline std::uint64_t fingerprint(const void* data, std::size_t size, std::uint64_t hash = 0xcbf29ce484222325) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 0x100000001b3;
  return hash;
}

/// Of every option, the population included: two batches with equal fingerprints play by the same rules.
std::uint64_t fingerprint(const GameConfig& config, const Population& population);

struct SnapshotHeader {
  char magic[8] = {'p', 'a', 'y', 'm', 's', 'n', 'a', 'p'};
  std::uint32_t version = 4;
  std::uint32_t games = 0;
  std::uint64_t rules = 0;  // fingerprint of options and population
  std::uint64_t state_bytes = 0, table_bytes = 0;
  std::uint64_t frozen = 0;
  std::uint64_t checksum = 0;  // of the header, as if this were 0, and of what follows it
};

inline std::uint64_t checksum_of(SnapshotHeader header, const std::string& bytes) {
  header.checksum = 0;
  return fingerprint(bytes.data() + sizeof header, bytes.size() - sizeof header, fingerprint(&header, sizeof header));
}

/// Calls visitor(pointer, bytes) for each array of the table.
template <class Table, class Visitor>
void visit_table(Table& t, Visitor&& visitor) {
  const auto array = [&](auto& values) { visitor(values.data(), values.size() * sizeof(values[0])); };
  array(t.acceptance);
  array(t.acceptance_count);
  array(t.completion);
  array(t.outcome);
  array(t.outcome_count);
}

template <class World>
std::string GameBatch<World>::snapshot() const {
  const CallGuard::Call call(*guard(), calls::snapshot);
  SnapshotHeader header;
  std::string bytes(sizeof header, '\0');
  const auto append = [&](const void* data, std::size_t size) { bytes.append(static_cast<const char*>(data), size); };
  append(states_.data(), states_.size() * sizeof(State));
  const std::size_t before = bytes.size();
  visit_table(table_, append);
  header.games = static_cast<std::uint32_t>(states_.size());
  header.rules = fingerprint(game_.config(), game_.population());
  header.state_bytes = sizeof(State);
  header.table_bytes = bytes.size() - before;
  header.frozen = table_.frozen;
  header.checksum = checksum_of(header, bytes);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

template <class World>
void GameBatch<World>::restore(const std::string& bytes) {
  const CallGuard::Call call(*guard(), calls::restore);
  SnapshotHeader header;
  const SnapshotHeader ours;
  expect(bytes.size() >= sizeof header, "snapshot", "at least " + std::to_string(sizeof header) + " bytes",
         bytes.size());
  std::memcpy(&header, bytes.data(), sizeof header);
  expect(std::memcmp(header.magic, ours.magic, sizeof ours.magic) == 0, "snapshot", "bytes of env.snapshot()",
         "something else");
  expect(header.version == ours.version, "snapshot", "version " + std::to_string(ours.version), header.version);
  expect(header.games == states_.size(), "snapshot", std::to_string(states_.size()) + " games", header.games);
  expect(header.rules == fingerprint(game_.config(), game_.population()) && header.state_bytes == sizeof(State),
         "snapshot", "a snapshot of games with the same options and population", "one of others");
  std::size_t table_bytes = 0;
  visit_table(table_, [&](const void*, std::size_t size) { table_bytes += size; });
  const std::size_t expected = sizeof header + states_.size() * sizeof(State) + table_bytes;
  expect(bytes.size() == expected && header.table_bytes == table_bytes, "snapshot", std::to_string(expected) + " bytes",
         bytes.size());
  expect(checksum_of(header, bytes) == header.checksum, "snapshot", "intact bytes", "damaged ones (checksum)");
  const char* in = bytes.data() + sizeof header;
  const auto take = [&](void* data, std::size_t size) {
    std::memcpy(data, in, size);
    in += size;
  };
  take(static_cast<void*>(states_.data()), states_.size() * sizeof(State));
  visit_table(table_, take);
  table_.frozen = header.frozen != 0;
}

}  // namespace paymaster
