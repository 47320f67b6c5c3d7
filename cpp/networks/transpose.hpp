// A matrix the other way round. Local to the file that includes it (numbers.hpp says why).
#pragma once

#include <cstddef>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace paymaster {
namespace {

#if defined(__AVX2__)
/// Eight rows of eight numbers.
inline void transpose_block(const float* from, std::size_t from_width, float* to, std::size_t to_width) {
  __m256 row[8], pair[8];
  for (std::size_t i = 0; i < 8; ++i) row[i] = _mm256_loadu_ps(from + i * from_width);
  for (std::size_t i = 0; i < 8; i += 2) {
    pair[i] = _mm256_unpacklo_ps(row[i], row[i + 1]);
    pair[i + 1] = _mm256_unpackhi_ps(row[i], row[i + 1]);
  }
  for (std::size_t i = 0; i < 8; i += 4) {
    row[i] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0x44);
    row[i + 1] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0xEE);
    row[i + 2] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
    row[i + 3] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0xEE);
  }
  for (std::size_t i = 0; i < 4; ++i) {
    _mm256_storeu_ps(to + i * to_width, _mm256_permute2f128_ps(row[i], row[i + 4], 0x20));
    _mm256_storeu_ps(to + (i + 4) * to_width, _mm256_permute2f128_ps(row[i], row[i + 4], 0x31));
  }
}
#else
inline void transpose_block(const float* from, std::size_t from_width, float* to, std::size_t to_width) {
  for (std::size_t j = 0; j < 8; ++j)
    for (std::size_t i = 0; i < 8; ++i) to[j * to_width + i] = from[i * from_width + j];
}
#endif

/// to[columns, rows] = from[rows, columns], which lie in arrays that wide.
inline void transpose(const float* from, std::size_t from_width, std::size_t rows, std::size_t columns, float* to,
                      std::size_t to_width) {
  const std::size_t whole_rows = rows - rows % 8, whole_columns = columns - columns % 8;
  for (std::size_t i = 0; i < whole_rows; i += 8) {
    for (std::size_t j = 0; j < whole_columns; j += 8)
      transpose_block(from + i * from_width + j, from_width, to + j * to_width + i, to_width);
    for (std::size_t j = whole_columns; j < columns; ++j)
      for (std::size_t k = i; k < i + 8; ++k) to[j * to_width + k] = from[k * from_width + j];
  }
  for (std::size_t i = whole_rows; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) to[j * to_width + i] = from[i * from_width + j];
}

}  // namespace
}  // namespace paymaster
