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

template <std::size_t Rows, class Real>
inline void add_rows(const Real* a, const Real* b, Real* out, std::size_t inner, std::size_t columns) {
  constexpr std::size_t kAtOnce = 2 * kWidth<Real>;
  const std::size_t wide = columns - columns % kAtOnce;
  for (std::size_t j = 0; j < wide; j += kAtOnce) add_tile<Rows, 2, Wide<Real>>(a, b + j, out + j, inner, columns);
  for (std::size_t j = wide; j < columns; ++j) add_tile<Rows, 1, Real>(a, b + j, out + j, inner, columns);
}

/// out[rows, columns] += a[rows, inner] b[inner, columns]
template <class Real>
void add_product(const Real* a, const Real* b, Real* out, std::size_t rows, std::size_t inner, std::size_t columns) {
  constexpr std::size_t kRows = 4;
  std::size_t i = 0;
  for (; rows - i >= kRows; i += kRows) add_rows<kRows>(a + i * inner, b, out + i * columns, inner, columns);
  for (; i < rows; ++i) add_rows<1>(a + i * inner, b, out + i * columns, inner, columns);
}

}  // namespace
}  // namespace paymaster
