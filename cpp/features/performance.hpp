// M3RL's performance history (Shu & Tian 2019, as their code keeps it): plain moving averages per identity, which its
// manager reads once at the start of an episode. The present history (game/history.hpp) differs: it counts trials alone,
// moves all later ages on a completion, and tells contracts apart by their bonus, too.
//
//   acceptance [P, G, K]   of the offered (g, b), every step: 1 if the follower is committed to it, else 0
//   success    [P, G, T]   of (g, steps it was committed to g): 1 when completed; 0 when it is found uncommitted, and when it
//                          is still committed at step T. A contract is its goal type alone: a changed bonus goes on counting,
//                          a switch from one committed type to another leaves no trace, nor does an early end of the episode
#pragma once

#include <cstddef>
#include <cstdint>

#include "features/candidates.hpp"
#include "game/types.hpp"

namespace paymaster {

/// The fields of the observation after a step.
struct PerformanceFields {
  Column<std::int32_t> wide_identity;  // where wide_identities() says so, else the next
  Column<std::int16_t> identity;
  Column<std::int16_t> offer, committed, completed, step;  // [B, N, 2], [B, N], [B, N], [B]
};

/// The averages, and how far contracts have come. The caller's arrays.
struct PerformanceArrays {
  float* acceptance;    // [P, G, K]
  float* success;       // [P, G, T]
  std::int16_t* goal;   // [B, N] goal type that the follower was committed to in the last step, -1 for none
  std::int16_t* steps;  // [B, N] steps in a row
  std::int16_t* clock;  // [B] the step that was seen last: a game that has ended is seen again as it was
};

struct PerformanceSizes {
  std::size_t games;
  int followers, population, goals, bonuses, horizon;
};

/// Brings the arrays up to date with a step, in the order of games; a game at step 0 begins to count. With `frozen` the averages stay as they are. Throws
/// std::invalid_argument, with nothing changed, on an identity, offer or step out of range.
void record_performance(const PerformanceFields& seen, const PerformanceSizes& sizes, bool frozen,
                        const PerformanceArrays& out);

}  // namespace paymaster
