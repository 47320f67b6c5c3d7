// Which bodies hear each other, four at a time in AVX2 registers.
#pragma once

#include <cstdint>

namespace paymaster {

/// Indices of two colliders, the smaller first.
struct ColliderPair {
  std::uint8_t first, second;
};

/// All pairs at most size + size + the larger range away from each other go to `pairs`, in order; how many. Arrays go on
/// to a multiple of four with bodies at infinity. Only where has_avx2().
int avx2_earshot(int count, const double* x, const double* y, const double* size, const double* range,
                 ColliderPair* pairs);

}  // namespace paymaster
