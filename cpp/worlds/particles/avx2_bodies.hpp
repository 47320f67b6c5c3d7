// A step of bodies, four at a time in AVX2 registers.
#pragma once

#include <cstdint>

namespace paymaster {

struct BodyRows;

/// As ParticlePhysics<double>::step; only where has_avx2().
void avx2_move_bodies(const BodyRows& rows, double (*position)[2], double (*velocity)[2], const std::uint8_t* actions);

}  // namespace paymaster
