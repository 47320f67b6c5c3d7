// B games behind one interface, whatever their world. One call here is one crossing from Python.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "batch/call_guard.hpp"
#include "game/config.hpp"
#include "game/fields.hpp"
#include "game/history.hpp"
#include "game/population.hpp"

namespace paymaster {

struct BatchConfig {
  int num_envs = 1;
  std::uint64_t seed = 0;
  std::int64_t first_index = 0;  // index of the first game; game i of a batch is the single game of that index
  int num_threads = 0;           // 0: all cores
  Autoreset autoreset = Autoreset::next_step;
};

/// Observations of B games: the fields of whole numbers (ObservationWriter) and the float32 fields, each field's block [B, ...] behind the one before.
struct ObservationRows {
  std::int16_t* whole = nullptr;  // B * row_length().whole places, aligned for int32
  float* real = nullptr;          // B * row_length().real
};

struct RowLength {
  int whole = 0, real = 0;  // places of 16 bits, and float32 values
};

/// The caller's arrays for a step's results.
struct BatchResult {
  ObservationRows observation;
  ObservationRows final_observation;  // same_step only: those of games that ended
  void* const* results = nullptr;     // one array [B, ...] for each of result_fields()
  void* const* totals = nullptr;      // and of total_fields(): of the finished episode where `terminated`
};

/// Names of calls, as the guard's messages have them.
namespace calls {
inline constexpr CallName reset = CallName::known("reset"), offer = CallName::known("offer"),
                          step = CallName::known("step"), observe = CallName::known("observe"),
                          state = CallName::known("state"), set_state = CallName::known("set_state"),
                          replace_followers = CallName::known("replace_followers"),
                          snapshot = CallName::known("snapshot"), restore = CallName::known("restore");
}

/// A game was stepped that has not begun. Python sees gymnasium.error.ResetNeeded.
class NotReset : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Throws NotReset.
[[noreturn]] void refuse_unbegun(const char* call, std::size_t game);

/// One thread at a time: reset() and what follows it throw ConcurrentCall while another thread is in one of them.
///
/// A game that was made is stepped from its first reset(), set_state() or restore() of one that was begun: step() and
/// offer() throw NotReset before.
class Batch {
 public:
  virtual ~Batch() = default;

  /// Who does several calls as one, or holds on to population() or statistics(), enters it around them.
  const std::shared_ptr<CallGuard>& guard() const { return guard_; }

  virtual const GameConfig& config() const = 0;
  virtual const BatchConfig& batch_config() const = 0;
  virtual const Population& population() const = 0;
  virtual HistoryTable& statistics() = 0;
  virtual int threads() const = 0;
  virtual int choices() const = 0;  // a follower's actions: 0 .. choices - 1

  virtual const std::vector<FieldInfo>& observation_fields() const = 0;
  virtual const std::vector<FieldInfo>& state_fields() const = 0;
  virtual const std::vector<FieldInfo>& result_fields() const = 0;    // of a step
  virtual const std::vector<FieldInfo>& total_fields() const = 0;     // sums over the episode so far
  virtual const std::vector<FieldInfo>& follower_fields() const = 0;  // what followers know beside the observation
  virtual RowLength row_length() const = 0;                           // values of a game's observation
  virtual std::size_t bytes_per_game() const = 0;                     // of core state

  /// Starts episode 0 of every game under a new seed a game, or (no seeds) the next episode of those in `mask`
  /// (null: all). Writes all observations.
  virtual void reset(const std::uint64_t* seeds, const bool* mask, const ObservationRows& observation) = 0;
  /// The first phase of a step whose followers act from outside: checks actions [B, N, 2], moves nothing. Writes one
  /// array [B, ...] for each of follower_fields().
  virtual void offer(const std::int32_t* actions, void* const* followers) = 0;
  /// actions [B, N, 2] (goal, bonus), and follower_actions [B, N], a goal type or G for "stop", or a primitive action
  /// (null with rule-based followers); both checked before anything moves.
  virtual void step(const std::int32_t* actions, const std::int32_t* follower_actions, const BatchResult& result) = 0;
  virtual void observe(const ObservationRows& observation) = 0;

  /// arrays: one pointer for each of state_fields(), null where not asked for.
  virtual void get_state(void* const* arrays) const = 0;
  /// Throws std::invalid_argument, and changes nothing, when a state would break a rule.
  virtual void set_state(const void* const* arrays) = 0;

  /// New followers in place of the members named: each with the traits of its place in the population of
  /// `population_seed`, and an empty row of statistics. Only between episodes; a game that was made and not begun draws
  /// its first episode again. Throws std::invalid_argument, and changes nothing, on a member or a seed out of range, on
  /// one named twice, and while a game is in an episode.
  virtual void replace_followers(const std::vector<int>& identities, std::int64_t population_seed) = 0;

  virtual std::string snapshot() const = 0;
  virtual void restore(const std::string& bytes) = 0;

 private:
  std::shared_ptr<CallGuard> guard_ = std::make_shared<CallGuard>();
};

/// Throws std::invalid_argument where a population is not one of these games; the configuration has been checked.
void check_population(const GameConfig& game, const Population& people);

/// Throws std::invalid_argument on an impossible configuration. No population: it is drawn from the population seed.
std::unique_ptr<Batch> make_batch(const GameConfig& game, const BatchConfig& batch, const Population* population);

}  // namespace paymaster
