// Which bodies hear each other, four at a time in AVX2 registers.
#pragma once

namespace paymaster {

/// Colliders i + 1 .. count - 1 at most size[i] + size[j] + max(range[i], range[j]) away from collider i go to `near`;
/// how many. Arrays go on to a multiple of four with bodies at infinity. Only where has_avx2().
int avx2_earshot(int i, int count, const double* x, const double* y, const double* size, const double* range,
                 int* near);

}  // namespace paymaster
