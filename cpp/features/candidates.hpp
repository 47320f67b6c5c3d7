// Which goal types the networks see of each follower, where a game says that they do not see all (`near_goals`).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "game/fields.hpp"

namespace paymaster {

/// One field of B games' observations: game i's values lie one behind the other from first + i * stride.
template <class T>
struct Column {
  const T* first = nullptr;
  std::ptrdiff_t stride = 0;  // in values

  const T* of(std::size_t game) const { return first + static_cast<std::ptrdiff_t>(game) * stride; }
};

/// How many goal types the networks see of a follower, C: `near_goals`, or all where that is 0 or more than there are.
inline int candidates_of(int near_goals, int num_goals) {
  return near_goals > 0 && near_goals < num_goals ? near_goals : num_goals;
}

/// Each follower's candidates, [B, N, C]: first the goal type that it is offered, if any, then the nearest: those that
/// fewer actions reach come first, then those of lower index; those out of reach come last. `distance` is [B, N, G],
/// `offer` [B, N, 2].
std::vector<std::uint8_t> nearest_candidates(const Column<std::int16_t>& distance, const Column<std::int16_t>& offer,
                                             std::size_t games, std::size_t followers, int goals, int candidates);

/// The goal type in a follower's c-th place, where networks see all.
struct AllGoals {
  int operator()(int, int c) const { return c; }
};

/// The same in one game of which they see the candidates.
struct NearGoals {
  const std::uint8_t* candidates;  // [N, C]
  int count;                       // C

  int operator()(int follower, int c) const { return candidates[follower * count + c]; }
};

}  // namespace paymaster
