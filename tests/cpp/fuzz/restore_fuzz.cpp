// A snapshot that somebody has made up, with the right checksum: refused without a trace, or a game that plays on.
#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "batch/snapshot.hpp"
#include "play.hpp"

namespace {

using namespace paymaster;

struct Table {
  explicit Table(const GameConfig& config) : play(config, 2) {
    play.reset();
    for (std::uint32_t t = 0; t < 3; ++t) play.step(t);
    good = play.core().snapshot();
  }
  fuzz::Play play;
  std::string good;
};

/// Small games of every world, some with followers that act from outside.
std::vector<Table>& tables() {
  static std::vector<Table> all = [] {
    std::vector<Table> made;
    for (const Task& task : tasks()) {
      for (const char* followers : {"rule", "meta", "primitive"}) {
        GameConfig config = task.preset;
        config.followers = followers;
        config.population_size = std::max(6, config.num_followers);
        config.horizon = 5;
        config.noise = 0.2;
        config.abstain = true;
        made.emplace_back(config);
      }
    }
    return made;
  }();
  return all;
}

void seal(std::string& bytes) {
  SnapshotHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  header.checksum = checksum_of(header, bytes);
  std::memcpy(bytes.data(), &header, sizeof header);
}

}  // namespace

/// The first byte picks the games and how the others change their snapshot: as (place, value) triples, or as what stands
/// behind the header from a place on.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  Table& table = tables()[(data[0] & 0x7f) % tables().size()];
  std::string forged = table.good;
  if (data[0] & 0x80) {
    for (std::size_t i = 1; i + 3 <= size; i += 3)
      forged[(data[i] | std::size_t{data[i + 1]} << 8) % forged.size()] = static_cast<char>(data[i + 2]);
  } else {
    const std::size_t at = sizeof(SnapshotHeader) + (data[1] | std::size_t{data[2]} << 8) % 1024;
    std::memcpy(forged.data() + at, data + 3, std::min(size - 3, forged.size() - at));
  }
  seal(forged);
  Batch& core = table.play.core();
  core.restore(table.good);
  try {
    core.restore(forged);
  } catch (const std::invalid_argument&) {
    fuzz::require(core.snapshot() == table.good, "a refusal changes nothing");
    return 0;
  }
  fuzz::require(core.snapshot() == forged, "what was restored is what was given");
  try {
    table.play.step(data[2]);
  } catch (const NotReset&) {
    table.play.reset();
  }
  for (std::uint32_t t = 0; t < 12; ++t) table.play.step(t + data[size - 1]);
  table.play.reset();
  return 0;
}
