// Numbers that networks compute with: as many at a time as a register holds, and functions of them. For files compiled
// once for every processor and once for AVX2: everything is local to the file that includes it, so that no version of it
// ends up in code for other processors.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace paymaster {
namespace {

// Numbers that are computed with together: as many floats as a register holds where the compiler has types for that, else
// one. Doubles, which tests compare with, go one by one.
#if defined(__GNUC__) && defined(__AVX512F__)
typedef float Floats __attribute__((vector_size(64)));
typedef std::int32_t FloatBits __attribute__((vector_size(64)));
#elif defined(__GNUC__) && defined(__AVX2__)
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

inline double exponential(double x) { return std::exp(x); }

/// To 1e-7 of its value, without a branch or a call; NaN of NaN. Floats, or one of them.
template <class F>
inline F exponential(F x) {
  using Bits = std::conditional_t<sizeof(F) == sizeof(float), std::int32_t, FloatBits>;
  const F given = x;
  x = x > -87.0F ? x : F{} - 87.0F;  // a NaN, too, which would leave the integers below
  x = x < 88.0F ? x : F{} + 88.0F;
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
  const F result = std::bit_cast<F>(std::bit_cast<Bits>(value) + exponent * (1 << 23));
  return given == given ? result : given;
}

/// To 1e-7 of its value, for numbers whose reciprocal is not 0: the widest registers divide as slowly as two of half.
template <class W>
inline W reciprocal(W x) {
#if defined(__AVX512F__)
  if constexpr (sizeof(W) == sizeof(__m512)) {
    const W near = std::bit_cast<W>(_mm512_maskz_rcp14_ps(0xFFFF, std::bit_cast<__m512>(x)));
    return near * (2 - x * near);
  }
#endif
  return 1 / x;
}

template <class W>
inline W sigmoid(W x) {
  return reciprocal(1 + exponential(W{} - x));
}

template <class W>
inline W hyperbolic(W x) {
  return 2 * sigmoid(x + x) - 1;
}

/// By the C library, one by one: networks need few of them.
template <class W>
inline W logarithm(W x) {
  if constexpr (sizeof(W) == sizeof(float)) return std::log(x);
  else
    for (std::size_t i = 0; i < sizeof(W) / sizeof(float); ++i) x[i] = std::log(x[i]);
  return x;
}

/// body(W{}, j) for j = 0, ..., count - 1: W wide as long as that fits, then one by one.
template <class Real, class Body>
inline void across(std::size_t count, Body&& body) {
  const std::size_t wide = count - count % kWidth<Real>;
  for (std::size_t j = 0; j < wide; j += kWidth<Real>) body(Wide<Real>{}, j);
  if constexpr (kWidth<Real> > 1)
    for (std::size_t j = wide; j < count; ++j) body(Real{}, j);
}

}  // namespace
}  // namespace paymaster
