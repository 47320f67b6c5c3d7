// The most that a game on the grid can have.
#pragma once

namespace paymaster {

inline constexpr int kGridFollowers = 16;
inline constexpr int kGridGoals = 8;  // goal types
inline constexpr int kGridResources = 64;

}  // namespace paymaster
