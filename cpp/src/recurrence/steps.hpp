// The loops of recurrence.hpp, compiled once for every processor and once for AVX2. Everything is local to the file that
// includes it, so that no version of it ends up in code for other processors.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "paymaster/recurrence.hpp"

namespace paymaster {
namespace {

// Numbers that are computed with together: as many floats as a register holds where the compiler has types for that, else
// one. Doubles, which tests compare with, go one by one.
#if defined(__GNUC__) && defined(__AVX2__)
typedef float Floats __attribute__((vector_size(32)));
typedef std::int32_t FloatBits __attribute__((vector_size(32)));
#elif defined(__GNUC__)
typedef float Floats __attribute__((vector_size(16)));
typedef std::int32_t FloatBits __attribute__((vector_size(16)));
#else
using Floats = float;
using FloatBits = std::int32_t;
#endif
template <class Real>
using Wide = std::conditional_t<std::is_same_v<Real, float>, Floats, double>;
template <class Real>
constexpr std::size_t kWidth = sizeof(Wide<Real>) / sizeof(Real);

template <class W, class Real>
inline W load(const Real* from) {
  W wide;
  std::memcpy(&wide, from, sizeof wide);
  return wide;
}
template <class W, class Real>
inline void store(const W& wide, Real* to) {
  std::memcpy(to, &wide, sizeof wide);
}

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
  std::size_t j = 0;
  for (; columns - j >= kAtOnce; j += kAtOnce) add_tile<Rows, 2, Wide<Real>>(a, b + j, out + j, inner, columns);
  for (; j < columns; ++j) add_tile<Rows, 1, Real>(a, b + j, out + j, inner, columns);
}

/// out[rows, columns] += a[rows, inner] b[inner, columns]
template <class Real>
void add_product(const Real* a, const Real* b, Real* out, std::size_t rows, std::size_t inner, std::size_t columns) {
  constexpr std::size_t kRows = 4;
  std::size_t i = 0;
  for (; rows - i >= kRows; i += kRows) add_rows<kRows>(a + i * inner, b, out + i * columns, inner, columns);
  for (; i < rows; ++i) add_rows<1>(a + i * inner, b, out + i * columns, inner, columns);
}

inline double exponential(double x) { return std::exp(x); }

/// To 1e-7 of its value, without a branch or a call. Floats, or one of them.
template <class F>
inline F exponential(F x) {
  using Bits = std::conditional_t<sizeof(F) == sizeof(float), std::int32_t, FloatBits>;
  x = x < -87.0F ? F{} - 87.0F : x;
  x = x > 88.0F ? F{} + 88.0F : x;
  constexpr float kShift = 12582912.0F;  // 1.5 * 2^23: a float beside it is rounded to an integer
  const F shifted = x * 1.44269504F + kShift;
  const F power = shifted - kShift;
  const F rest = (x - power * 0.693359375F) + power * 2.12194440e-4F;  // ln 2 in two parts
  F series = rest * 1.9875691500e-4F + 1.3981999507e-3F;
  series = series * rest + 8.3334519073e-3F;
  series = series * rest + 4.1665795894e-2F;
  series = series * rest + 1.6666665459e-1F;
  series = series * rest + 5.0000001201e-1F;
  const F value = series * rest * rest + rest + 1.0F;
  const Bits exponent = std::bit_cast<Bits>(shifted) - std::bit_cast<std::int32_t>(kShift);
  return std::bit_cast<F>(std::bit_cast<Bits>(value) + exponent * (1 << 23));
}

template <class W>
inline W sigmoid(W x) {
  return 1 / (1 + exponential(W{} - x));
}

template <class W>
inline W hyperbolic(W x) {
  return 2 * sigmoid(x + x) - 1;
}

/// body(W{}, j) for j = 0, ..., count - 1: W wide as long as that fits, then one by one.
template <class Real, class Body>
inline void across(std::size_t count, Body&& body) {
  std::size_t j = 0;
  for (; count - j >= kWidth<Real>; j += kWidth<Real>) body(Wide<Real>{}, j);
  if constexpr (kWidth<Real> > 1)
    for (; j < count; ++j) body(Real{}, j);
}

template <class Real>
void forward(const RecurrenceForward<Real>& arrays, const PackedSteps& packed) {
  const std::size_t h = packed.hidden;
  std::vector<Real> transposed(3 * h * h);
  for (std::size_t i = 0; i < 3 * h; ++i)
    for (std::size_t k = 0; k < h; ++k) transposed[k * 3 * h + i] = arrays.weight[i * h + k];
  const Real* before = arrays.start;
  std::size_t first = 0;
  for (std::size_t t = 0; t < packed.steps; ++t) {
    const auto rows = static_cast<std::size_t>(packed.sizes[t]);
    Real* gates = arrays.gates + first * 3 * h;
    for (std::size_t i = 0; i < rows; ++i) std::copy_n(arrays.bias, 3 * h, gates + i * 3 * h);
    add_product(before, transposed.data(), gates, rows, h, 3 * h);
    for (std::size_t i = 0; i < rows; ++i) {
      const Real* x = arrays.x + (first + i) * 3 * h;
      Real* gate = gates + i * 3 * h;
      Real* proposed = arrays.proposed + (first + i) * h;
      Real* state = arrays.states + (first + i) * h;
      const Real* old = before + i * h;
      across<Real>(2 * h,
                   [&]<class W>(W, std::size_t j) { store(sigmoid(load<W>(x + j) + load<W>(gate + j)), gate + j); });
      across<Real>(h, [&]<class W>(W, std::size_t j) {
        const W n = hyperbolic(load<W>(x + 2 * h + j) + load<W>(gate + j) * load<W>(gate + 2 * h + j));
        store(n, proposed + j);
        store(n + load<W>(gate + h + j) * (load<W>(old + j) - n), state + j);
      });
    }
    before = arrays.states + first * h;
    first += rows;
  }
}

template <class Real>
void backward(const RecurrenceBackward<Real>& arrays, const PackedSteps& packed) {
  const std::size_t h = packed.hidden;
  std::size_t end = 0;
  for (std::size_t t = 0; t < packed.steps; ++t) end += static_cast<std::size_t>(packed.sizes[t]);
  Real* later = arrays.from_start;  // gradient of the states of the step before, as far as later ones depend on them
  std::fill_n(later, (packed.steps > 0 ? static_cast<std::size_t>(packed.sizes[0]) : 0) * h, Real{0});
  for (std::size_t t = packed.steps; t-- > 0;) {
    const auto rows = static_cast<std::size_t>(packed.sizes[t]);
    const std::size_t first = end - rows;
    const Real* old =
        t == 0 ? arrays.start : arrays.states + (first - static_cast<std::size_t>(packed.sizes[t - 1])) * h;
    for (std::size_t i = 0; i < rows; ++i) {
      const std::size_t row = first + i;
      const Real *gate = arrays.gates + row * 3 * h, *grad = arrays.grad + row * h, *n = arrays.proposed + row * h;
      Real *from_x = arrays.from_x + row * 3 * h, *from_h = arrays.from_h + row * 3 * h, *total = later + i * h;
      across<Real>(h, [&]<class W>(W, std::size_t j) {
        const W r = load<W>(gate + j), z = load<W>(gate + h + j), new_state = load<W>(n + j);
        const W here = load<W>(grad + j) + load<W>(total + j), was = load<W>(old + i * h + j);
        const W by_n = here * (1 - z) * (1 - new_state * new_state);
        const W by_r = by_n * load<W>(gate + 2 * h + j) * r * (1 - r);
        const W by_z = here * (was - new_state) * z * (1 - z);
        store(by_r, from_x + j);
        store(by_z, from_x + h + j);
        store(by_n, from_x + 2 * h + j);
        store(by_r, from_h + j);
        store(by_z, from_h + h + j);
        store(by_n * r, from_h + 2 * h + j);
        store(here * z, total + j);
        store(was, arrays.before + row * h + j);
      });
    }
    add_product(arrays.from_h + first * 3 * h, arrays.weight, later, rows, 3 * h, h);
    end = first;
  }
}

}  // namespace
}  // namespace paymaster
