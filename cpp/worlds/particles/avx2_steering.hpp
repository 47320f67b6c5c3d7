// Steering of four bodies at once in AVX2 registers.
#pragma once

#include "worlds/particles/steering.hpp"

namespace paymaster {

/// As Steering::steer_all; only where has_avx2().
void avx2_steer_all(const SteeringTables& tables, const SteeringScene& scene, std::int16_t (*steps)[kParticleGoals],
                    std::uint8_t (*action)[kParticleGoals]);

}  // namespace paymaster
