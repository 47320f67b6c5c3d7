// A batch with the arrays its steps write to, its state by name, and streams of offers to play it with.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "batch/batch.hpp"
#include "features/features.hpp"
#include "game/field_memory.hpp"
#include "support/random.hpp"
#include "worlds/grid/config.hpp"
#include "worlds/particles/config.hpp"

namespace paymaster::test {

/// Steps a test plays: the environment variable PAYMASTER_TEST_STEPS, or `usual`.
int steps_to_play(int usual);

bool is_grid(const GameConfig& config);
bool is_crafting(const GameConfig& config);
bool is_particles(const GameConfig& config);
/// Presets of the grid world, for what is said of grids only.
std::vector<GameConfig> grid_tasks();

/// The state fields of a batch, in buffers.
class StateArrays : public FieldMemory {
 public:
  explicit StateArrays(const Batch& batch) : FieldMemory(batch.state_fields(), batch.batch_config().num_envs) {}

  void read(const Batch& batch) { batch.get_state(pointers().data()); }
  /// Sets the named fields (no names: all).
  void write(Batch& batch, const std::vector<std::string>& names = {});
  /// Row `game` of a field, or null where the world has no field of this name and type.
  template <class T>
  T* find(const std::string& name, int game) {
    return FieldMemory::find<T>(name).empty() ? nullptr : row<T>(name, game);
  }
};

/// A bool array whose elements have addresses (std::vector<bool> has none).
struct Flags {
  explicit Flags(std::size_t n) : size(n), data(new bool[n]()) {}
  bool operator==(const Flags& other) const;
  bool operator[](std::size_t i) const { return data[i]; }
  std::size_t size;
  std::unique_ptr<bool[]> data;
};

/// Observations of B games; empty where there are none.
struct Rows {
  Rows() = default;
  explicit Rows(const Batch& batch);
  bool operator==(const Rows&) const = default;
  /// That of one game of `games`.
  Rows row(int game, int games) const;
  ObservationRows pointers() { return whole.empty() ? ObservationRows{} : ObservationRows{whole.data(), real.data()}; }

  std::vector<std::int16_t> whole;
  std::vector<float> real;
  std::vector<int> whole_counts, real_counts;  // values of each field in a game
};

/// The array of one field.
template <class T>
struct Values : std::span<const T> {
  Values(std::span<T> values) : std::span<const T>(values) {}  // NOLINT: as the span that it is
  bool operator==(const Values& other) const {
    return std::equal(this->begin(), this->end(), other.begin(), other.end());
  }
};

/// One step's results.
struct Results {
  explicit Results(const Batch& batch);
  Results(Results&&) = default;  // a copy's arrays would be those of the original
  Results& operator=(Results&&) = default;
  BatchResult pointers();
  bool operator==(const Results& other) const {
    return observation == other.observation && final_observation == other.final_observation && fields == other.fields &&
           totals == other.totals;
  }

  Rows observation, final_observation;
  FieldMemory fields, totals;
  Values<double> reward;
  Values<bool> terminated, committed, refused;  // refused: empty without limits
  Values<std::int16_t> completed, action;
  Values<float> payment, follower_reward, gain, payments, incentive, total_follower_reward;
  Values<std::int32_t> new_offers, length, completions;

 private:
  std::vector<void*> field_pointers_, total_pointers_;
};

using Offers = std::vector<std::int32_t>;  // [B, N, 2]

class TestBatch {
 public:
  TestBatch(const GameConfig& config, const BatchConfig& batch, const Population* population = nullptr);

  Batch& core() const { return *batch_; }
  const Results& results() const { return results_; }
  bool results_in_bounds() { return results_.fields.in_bounds() && results_.totals.in_bounds(); }
  /// Games that have not begun begin.
  const Results& step(const Offers& offers);
  void reset(const std::uint64_t* seeds = nullptr, const bool* mask = nullptr);
  void observe() { batch_->observe(results_.observation.pointers()); }
  /// An int16 field of a game in the last observation.
  const std::int16_t* observed(const std::string& field, int game) const;
  /// What features are made of: the last observation, where it lies.
  SeenFields seen() const;
  int games() const { return batch_->batch_config().num_envs; }

 private:
  std::unique_ptr<Batch> batch_;
  Results results_;
  struct Block {
    std::size_t first, count;  // where the field begins among those of its dtype; its values in a game
  };
  std::map<std::string, Block> block_;  // of the observation
};

/// Offers that each change with the given probability (percent) from one call to the next.
class OfferStream {
 public:
  OfferStream(std::uint64_t seed, const GameConfig& config, int games, int change_percent);
  const Offers& next();

 private:
  Random random_;
  int goals_, bonuses_, change_percent_;
  Offers offers_;
};

}  // namespace paymaster::test
