// How far bodies hear and which hear each other, four at a time in AVX2 registers. Only where has_avx2().
#pragma once

#include <cstdint>

namespace paymaster {

template <class Real>
struct Colliders;  // listening.hpp

/// Indices of two colliders, the smaller first.
struct ColliderPair {
  std::uint8_t first, second;
};

/// As listen() and uncertain() in listening.hpp.
void avx2_listen(Colliders<double>& colliders);
unsigned avx2_uncertain(const Colliders<double>& colliders, int first);

/// All pairs at most size + size + the larger range away from each other go to `pairs`, in order; how many.
int avx2_earshot(const Colliders<double>& colliders, ColliderPair* pairs);

}  // namespace paymaster
