// What the leader can know of a follower from earlier episodes: moving averages per identity (M3RL's performance
// history). One table is shared by a whole batch; it is updated at the end of each step, in the order of environments.
// A follower's step changes its own row alone, so threads can share out the rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "game/types.hpp"

namespace paymaster {

/// What one follower's step adds to the table.
struct HistoryEvent {
  std::uint16_t identity = 0;
  Offer offer{};
  bool trial = false;        // an offer was there to be accepted or refused ...
  bool accepted = false;     // ... and was accepted
  std::int16_t age = kNone;  // steps a contract had been running, -1: none was
  bool completed = false;    // the contract was completed in this step
  Offer ended{};             // contract that ended without completion by the follower's doing or the episode's end
};

/// P followers. Layout is row-major as the shapes say.
class HistoryTable {
 public:
  static constexpr double kRate = 0.1;                                // M3RL
  static constexpr std::int64_t kMostTrials = std::int64_t{1} << 62;  // that may be set, which leaves room for play

  HistoryTable(int population, int goals, int bonuses, int horizon);

  /// What the entries of such a table take up in memory.
  static std::uint64_t bytes(int population, int goals, int bonuses, int horizon) {
    const auto pairs = static_cast<std::uint64_t>(population) * static_cast<std::uint64_t>(goals);
    return pairs * static_cast<std::uint64_t>(bonuses * 12 + horizon * 4 + 12);
  }

  void apply(const HistoryEvent& event);
  /// Those of the followers first..last-1 among `count` events, in their order.
  void apply(const HistoryEvent* events, std::size_t count, int first, int last);
  void clear();
  void clear(int identity);  // one follower's row

  bool frozen = false;
  const int population, goals, bonuses, horizon;
  std::vector<float> acceptance;               // [P, G, K] share of trials accepted
  std::vector<std::int64_t> acceptance_count;  // [P, G, K] trials; tells "never tried" from "always refused"
  std::vector<float> completion;               // [P, G, T] share of contracts completed within age + 1 steps
  std::vector<float> outcome;               // [P, G] share of contracts completed of those not cut short by the leader
  std::vector<std::int64_t> outcome_count;  // [P, G]
};

}  // namespace paymaster
