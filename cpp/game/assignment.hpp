// The best assignment of followers to goals (types, or single ones) with room for only so many on each. Used by the
// full-information scripted leader.
#pragma once

#include <cstdint>

namespace paymaster {

/// Maximises the sum of value[k][g] over followers k assigned to goals g, at most capacity[g] followers on goal g;
/// a follower stays without one (-1) where that is worth more. Values <= 0 are never taken. Exact (Hungarian method).
/// value [followers, goals], capacity [goals], chosen [followers]; both at most 64.
void assign(const double* value, const std::int32_t* capacity, int followers, int goals, std::int32_t* chosen);

}  // namespace paymaster
