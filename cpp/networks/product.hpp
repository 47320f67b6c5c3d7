// Products of small matrices, local to the file that includes it (numbers.hpp says why).
#pragma once

#include <cstddef>

#include "networks/numbers.hpp"

namespace paymaster {
namespace {

/// out[Rows, Vectors W] += a[Rows, inner] b[inner, Vectors W], the sums in registers.
template <std::size_t Rows, std::size_t Vectors, class W, class Real>
inline void add_tile(const Real* a, const Real* b, Real* out, std::size_t inner, std::size_t columns) {
  constexpr std::size_t kLanes = sizeof(W) / sizeof(Real);
  W sum[Rows][Vectors];
  for (std::size_t i = 0; i < Rows; ++i)
    for (std::size_t v = 0; v < Vectors; ++v) sum[i][v] = load<W>(out + i * columns + v * kLanes);
  for (std::size_t k = 0; k < inner; ++k) {
    W factor[Vectors];
    for (std::size_t v = 0; v < Vectors; ++v) factor[v] = load<W>(b + k * columns + v * kLanes);
    for (std::size_t i = 0; i < Rows; ++i)
      for (std::size_t v = 0; v < Vectors; ++v) sum[i][v] += a[i * inner + k] * factor[v];
  }
  for (std::size_t i = 0; i < Rows; ++i)
    for (std::size_t v = 0; v < Vectors; ++v) store(sum[i][v], out + i * columns + v * kLanes);
}

/// Some columns of all rows: as many rows at a time as sums fit into registers.
template <std::size_t Vectors, class W, class Real>
inline void add_strip(const Real* a, const Real* b, Real* out, std::size_t rows, std::size_t inner,
                      std::size_t columns) {
  constexpr std::size_t kRows = kWidth<float> == 16 ? 8 : 6;  // AVX-512 has twice as many registers as others
  const std::size_t whole = rows - rows % kRows;
  for (std::size_t i = 0; i < whole; i += kRows)
    add_tile<kRows, Vectors, W>(a + i * inner, b, out + i * columns, inner, columns);
  a += whole * inner, out += whole * columns;
  switch (rows - whole) {
    case 1: return add_tile<1, Vectors, W>(a, b, out, inner, columns);
    case 2: return add_tile<2, Vectors, W>(a, b, out, inner, columns);
    case 3: return add_tile<3, Vectors, W>(a, b, out, inner, columns);
    case 4: return add_tile<4, Vectors, W>(a, b, out, inner, columns);
    case 5: return add_tile<5, Vectors, W>(a, b, out, inner, columns);
    case 6: return add_tile<6, Vectors, W>(a, b, out, inner, columns);
    case 7: return add_tile<7, Vectors, W>(a, b, out, inner, columns);
    default: return;
  }
}

/// out[rows, columns] += a[rows, inner] b[inner, columns]
template <class Real>
void add_product(const Real* a, const Real* b, Real* out, std::size_t rows, std::size_t inner, std::size_t columns) {
  constexpr std::size_t kOne = kWidth<Real>, kTwo = 2 * kOne;
  std::size_t j = 0;
  for (; columns - j >= kTwo; j += kTwo) add_strip<2, Wide<Real>>(a, b + j, out + j, rows, inner, columns);
  if (columns - j >= kOne) add_strip<1, Wide<Real>>(a, b + j, out + j, rows, inner, columns), j += kOne;
  if constexpr (kOne > 1)
    for (; j < columns; ++j) add_strip<1, Real>(a, b + j, out + j, rows, inner, columns);
}

}  // namespace
}  // namespace paymaster
