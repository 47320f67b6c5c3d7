// The most that a game in the plane can have.
#pragma once

namespace paymaster {

inline constexpr int kParticleFollowers = 64;
inline constexpr int kParticleGoals = 8;  // goal types
inline constexpr int kMaxTargets = 64;    // M, landmarks or preys
inline constexpr int kMaxObstacles = 64;  // a bit of 64 each (steering.cpp)

}  // namespace paymaster
