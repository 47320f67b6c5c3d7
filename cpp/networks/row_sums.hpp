// Sums of rows that each fill a register, side by side. Local to the file that includes it (numbers.hpp says why).
#pragma once

#include <bit>
#include <cstddef>

#include "networks/numbers.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace paymaster {
namespace {

/// The sum of each of as many registers as one has numbers: pairs are interleaved and added until one is left.
inline Floats sums_of(const Floats (&rows)[kWidth<float>]) {
#if defined(__GNUC__) && defined(__AVX512F__)
  __m512 four[4];
  for (std::size_t i = 0; i < 4; ++i) {
    __m512 pair[2];
    for (std::size_t k = 0; k < 2; ++k) {
      const __m512 a = std::bit_cast<__m512>(rows[4 * i + 2 * k]), b = std::bit_cast<__m512>(rows[4 * i + 2 * k + 1]);
      pair[k] = _mm512_maskz_unpacklo_ps(0xFFFF, a, b) + _mm512_maskz_unpackhi_ps(0xFFFF, a, b);
    }
    four[i] = _mm512_maskz_shuffle_ps(0xFFFF, pair[0], pair[1], 0x44) +
              _mm512_maskz_shuffle_ps(0xFFFF, pair[0], pair[1], 0xEE);
  }
  for (std::size_t i = 0; i < 4; i += 2)
    four[i] = _mm512_maskz_shuffle_f32x4(0xFFFF, four[i], four[i + 1], 0x44) +
              _mm512_maskz_shuffle_f32x4(0xFFFF, four[i], four[i + 1], 0xEE);
  return std::bit_cast<Floats>(_mm512_maskz_shuffle_f32x4(0xFFFF, four[0], four[2], 0x88) +
                               _mm512_maskz_shuffle_f32x4(0xFFFF, four[0], four[2], 0xDD));
#elif defined(__GNUC__) && defined(__AVX2__)
  __m256 four[2];
  for (std::size_t i = 0; i < 2; ++i) {
    __m256 pair[2];
    for (std::size_t k = 0; k < 2; ++k) {
      const __m256 a = std::bit_cast<__m256>(rows[4 * i + 2 * k]), b = std::bit_cast<__m256>(rows[4 * i + 2 * k + 1]);
      pair[k] = _mm256_unpacklo_ps(a, b) + _mm256_unpackhi_ps(a, b);
    }
    four[i] = _mm256_shuffle_ps(pair[0], pair[1], 0x44) + _mm256_shuffle_ps(pair[0], pair[1], 0xEE);
  }
  return std::bit_cast<Floats>(_mm256_permute2f128_ps(four[0], four[1], 0x20) +
                               _mm256_permute2f128_ps(four[0], four[1], 0x31));
#else
  float sums[kWidth<float>];
  for (std::size_t i = 0; i < kWidth<float>; ++i) {
    float numbers[kWidth<float>];
    store(rows[i], numbers);
    sums[i] = 0.0F;
    for (const float number : numbers) sums[i] += number;
  }
  return load<Floats>(sums);
#endif
}

}  // namespace
}  // namespace paymaster
