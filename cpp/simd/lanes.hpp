// Four doubles at a time, for code that is compiled once for every processor and once for AVX2: with GCC's and Clang's
// vector types there, with plain loops elsewhere. Each operation is the scalar one in every lane, so results are the same
// to the last bit. Everything is local to the file that includes it, so that no version of it ends up in code for other
// processors.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace paymaster {
namespace {

constexpr int kLanes = 4;

#if defined(__AVX2__) && defined(__GNUC__)
typedef double Lanes __attribute__((vector_size(32)));
typedef std::int64_t Mask __attribute__((vector_size(32)));  // all bits of a lane, or none

[[gnu::always_inline]] inline Lanes all(double x) { return Lanes{x, x, x, x}; }
[[gnu::always_inline]] inline Lanes load(const double* x) { return _mm256_loadu_pd(x); }
[[gnu::always_inline]] inline void store(Lanes x, double* out) { _mm256_storeu_pd(out, x); }
[[gnu::always_inline]] inline Lanes select(Mask mask, Lanes yes, Lanes no) {
  return _mm256_blendv_pd(no, yes, reinterpret_cast<__m256d>(mask));
}
[[gnu::always_inline]] inline Lanes magnitude(Lanes x) {
  constexpr std::int64_t kRest = INT64_MAX;
  return reinterpret_cast<Lanes>(reinterpret_cast<Mask>(x) & Mask{kRest, kRest, kRest, kRest});
}
/// The size of one number with the sign of the other.
[[gnu::always_inline]] inline Lanes signed_as(Lanes size, Lanes sign) {
  constexpr std::int64_t kSign = INT64_MIN;
  const Mask signs{kSign, kSign, kSign, kSign};
  return reinterpret_cast<Lanes>((reinterpret_cast<Mask>(size) & ~signs) | (reinterpret_cast<Mask>(sign) & signs));
}
[[gnu::always_inline]] inline Lanes root(Lanes x) { return _mm256_sqrt_pd(x); }
/// Bit i: lane i.
[[gnu::always_inline]] inline unsigned bits(Mask mask) {
  return static_cast<unsigned>(_mm256_movemask_pd(reinterpret_cast<__m256d>(mask)));
}
/// Four indices, rounded down; without a sign, which an address would have to be extended by.
struct Indices {
  std::uint32_t of[4];
};
[[gnu::always_inline]] inline Indices indices(Lanes index) {
  const __m128i at = _mm256_cvttpd_epi32(index);
  return {{static_cast<std::uint32_t>(_mm_cvtsi128_si32(at)), static_cast<std::uint32_t>(_mm_extract_epi32(at, 1)),
           static_cast<std::uint32_t>(_mm_extract_epi32(at, 2)), static_cast<std::uint32_t>(_mm_extract_epi32(at, 3))}};
}
/// table[index], for 0 <= index < 2^31, which is rounded down.
[[gnu::always_inline]] inline Lanes look_up(const double* table, Lanes index) {
  const Indices at = indices(index);
  return Lanes{table[at.of[0]], table[at.of[1]], table[at.of[2]], table[at.of[3]]};
}
/// first[i] and second[i]: how the row of index[i] begins.
template <int Width>
[[gnu::always_inline]] inline void look_up_rows(const double (*rows)[Width], Lanes index, Lanes& first, Lanes& second) {
  const Indices at = indices(index);
  const __m128d a = _mm_loadu_pd(rows[at.of[0]]), b = _mm_loadu_pd(rows[at.of[1]]);
  const __m128d c = _mm_loadu_pd(rows[at.of[2]]), d = _mm_loadu_pd(rows[at.of[3]]);
  const __m256d even = _mm256_insertf128_pd(_mm256_castpd128_pd256(a), c, 1);
  const __m256d odd = _mm256_insertf128_pd(_mm256_castpd128_pd256(b), d, 1);
  first = _mm256_unpacklo_pd(even, odd);
  second = _mm256_unpackhi_pd(even, odd);
}
/// The first three of the row of index[i].
[[gnu::always_inline]] inline void look_up_rows(const double (*rows)[4], Lanes index, Lanes& first, Lanes& second,
                                                Lanes& third) {
  const Indices at = indices(index);
  const __m256d a = _mm256_loadu_pd(rows[at.of[0]]), b = _mm256_loadu_pd(rows[at.of[1]]);
  const __m256d c = _mm256_loadu_pd(rows[at.of[2]]), d = _mm256_loadu_pd(rows[at.of[3]]);
  const __m256d even_ab = _mm256_unpacklo_pd(a, b), even_cd = _mm256_unpacklo_pd(c, d);
  first = _mm256_permute2f128_pd(even_ab, even_cd, 0x20);
  second = _mm256_permute2f128_pd(_mm256_unpackhi_pd(a, b), _mm256_unpackhi_pd(c, d), 0x20);
  third = _mm256_permute2f128_pd(even_ab, even_cd, 0x31);
}
/// x and y of four rows, and back.
[[gnu::always_inline]] inline void load_pairs(const double (*rows)[2], Lanes& x, Lanes& y) {
  const __m256d even = _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(rows[0])), _mm_loadu_pd(rows[2]), 1);
  const __m256d odd = _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(rows[1])), _mm_loadu_pd(rows[3]), 1);
  x = _mm256_unpacklo_pd(even, odd);
  y = _mm256_unpackhi_pd(even, odd);
}
[[gnu::always_inline]] inline void store_pairs(Lanes x, Lanes y, double (*rows)[2]) {
  const __m256d even = _mm256_unpacklo_pd(x, y), odd = _mm256_unpackhi_pd(x, y);
  _mm_storeu_pd(rows[0], _mm256_castpd256_pd128(even));
  _mm_storeu_pd(rows[1], _mm256_castpd256_pd128(odd));
  _mm_storeu_pd(rows[2], _mm256_extractf128_pd(even, 1));
  _mm_storeu_pd(rows[3], _mm256_extractf128_pd(odd, 1));
}
/// Two numbers from each of two places, and back; each of two numbers twice.
[[gnu::always_inline]] inline Lanes load_halves(const double* low, const double* high) {
  return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(low)), _mm_loadu_pd(high), 1);
}
[[gnu::always_inline]] inline void store_halves(Lanes x, double* low, double* high) {
  _mm_storeu_pd(low, _mm256_castpd256_pd128(x));
  _mm_storeu_pd(high, _mm256_extractf128_pd(x, 1));
}
[[gnu::always_inline]] inline Lanes halves(double low, double high) { return Lanes{low, low, high, high}; }
/// Four small numbers.
[[gnu::always_inline]] inline Lanes load_bytes(const std::uint8_t* x) {
  std::int32_t four;
  std::memcpy(&four, x, sizeof four);
  return _mm256_cvtepi32_pd(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(four)));
}
[[gnu::always_inline]] inline void store_whole(Lanes x, std::int32_t* out) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm256_cvttpd_epi32(x));
}
/// The bits of the exponent of a number that is not negative, as a number.
[[gnu::always_inline]] inline Lanes exponent_bits(Lanes x) {
  // Such a small integer beside the exponent of 2^52 is 2^52 + itself.
  const __m256i bits_of_two_52 = _mm256_castpd_si256(_mm256_set1_pd(0x1p52));
  const __m256i small = _mm256_srli_epi64(_mm256_castpd_si256(x), 52);
  return _mm256_sub_pd(_mm256_castsi256_pd(_mm256_or_si256(small, bits_of_two_52)), _mm256_set1_pd(0x1p52));
}
[[gnu::always_inline]] inline Lanes rounded_down(Lanes x) { return _mm256_cvtepi32_pd(_mm256_cvttpd_epi32(x)); }

#else

struct Lanes {
  double lane[kLanes];
  double& operator[](int i) { return lane[i]; }
  double operator[](int i) const { return lane[i]; }
};
struct Mask {
  std::int64_t lane[kLanes];
  std::int64_t& operator[](int i) { return lane[i]; }
  std::int64_t operator[](int i) const { return lane[i]; }
};

template <class Out, class Operation>
Out each(Operation&& operation) {
  Out out;
  for (int i = 0; i < kLanes; ++i) out[i] = operation(i);
  return out;
}
inline Lanes all(double x) { return {{x, x, x, x}}; }
inline Lanes load(const double* x) { return {{x[0], x[1], x[2], x[3]}}; }
inline void store(Lanes x, double* out) {
  for (int i = 0; i < kLanes; ++i) out[i] = x[i];
}
inline Lanes operator+(Lanes a, Lanes b) {
  return each<Lanes>([&](int i) { return a[i] + b[i]; });
}
inline Lanes operator-(Lanes a, Lanes b) {
  return each<Lanes>([&](int i) { return a[i] - b[i]; });
}
inline Lanes operator*(Lanes a, Lanes b) {
  return each<Lanes>([&](int i) { return a[i] * b[i]; });
}
inline Lanes operator/(Lanes a, Lanes b) {
  return each<Lanes>([&](int i) { return a[i] / b[i]; });
}
inline Lanes operator-(Lanes a) {
  return each<Lanes>([&](int i) { return -a[i]; });
}
inline Mask operator<(Lanes a, Lanes b) {
  return each<Mask>([&](int i) { return a[i] < b[i] ? -1 : 0; });
}
inline Mask operator<=(Lanes a, Lanes b) {
  return each<Mask>([&](int i) { return a[i] <= b[i] ? -1 : 0; });
}
inline Mask operator==(Lanes a, Lanes b) {
  return each<Mask>([&](int i) { return a[i] == b[i] ? -1 : 0; });
}
inline Mask operator>(Lanes a, Lanes b) { return b < a; }
inline Mask operator>=(Lanes a, Lanes b) { return b <= a; }
inline Mask operator&(Mask a, Mask b) {
  return each<Mask>([&](int i) { return a[i] & b[i]; });
}
inline Mask operator|(Mask a, Mask b) {
  return each<Mask>([&](int i) { return a[i] | b[i]; });
}
inline Mask operator~(Mask a) {
  return each<Mask>([&](int i) { return ~a[i]; });
}
inline Mask& operator|=(Mask& a, Mask b) { return a = a | b; }
inline Lanes select(Mask mask, Lanes yes, Lanes no) {
  return each<Lanes>([&](int i) { return mask[i] != 0 ? yes[i] : no[i]; });
}
inline Lanes magnitude(Lanes x) {
  return each<Lanes>([&](int i) { return std::fabs(x[i]); });
}
inline Lanes signed_as(Lanes size, Lanes sign) {
  return each<Lanes>([&](int i) { return std::copysign(size[i], sign[i]); });
}

inline Lanes root(Lanes x) {
  for (int i = 0; i < kLanes; ++i) x[i] = std::sqrt(x[i]);
  return x;
}
inline unsigned bits(Mask mask) {
  unsigned out = 0;
  for (int i = 0; i < kLanes; ++i) out |= mask[i] != 0 ? 1u << i : 0u;
  return out;
}
inline Lanes look_up(const double* table, Lanes index) {
  for (int i = 0; i < kLanes; ++i) index[i] = table[static_cast<std::int32_t>(index[i])];
  return index;
}
template <int Width>
inline void look_up_rows(const double (*rows)[Width], Lanes index, Lanes& first, Lanes& second) {
  for (int i = 0; i < kLanes; ++i) {
    const double* row = rows[static_cast<std::int32_t>(index[i])];
    first[i] = row[0];
    second[i] = row[1];
  }
}
inline void look_up_rows(const double (*rows)[4], Lanes index, Lanes& first, Lanes& second, Lanes& third) {
  look_up_rows<4>(rows, index, first, second);
  for (int i = 0; i < kLanes; ++i) third[i] = rows[static_cast<std::int32_t>(index[i])][2];
}
inline void load_pairs(const double (*rows)[2], Lanes& x, Lanes& y) {
  for (int i = 0; i < kLanes; ++i) {
    x[i] = rows[i][0];
    y[i] = rows[i][1];
  }
}
inline void store_pairs(Lanes x, Lanes y, double (*rows)[2]) {
  for (int i = 0; i < kLanes; ++i) {
    rows[i][0] = x[i];
    rows[i][1] = y[i];
  }
}
inline Lanes load_halves(const double* low, const double* high) { return {{low[0], low[1], high[0], high[1]}}; }
inline void store_halves(Lanes x, double* low, double* high) {
  for (int i = 0; i < 2; ++i) {
    low[i] = x[i];
    high[i] = x[i + 2];
  }
}
inline Lanes halves(double low, double high) { return {{low, low, high, high}}; }
inline Lanes load_bytes(const std::uint8_t* x) {
  return each<Lanes>([&](int i) { return static_cast<double>(x[i]); });
}
inline void store_whole(Lanes x, std::int32_t* out) {
  for (int i = 0; i < kLanes; ++i) out[i] = static_cast<std::int32_t>(x[i]);
}
/// The bits of the exponent of a number that is not negative, as a number.
inline Lanes exponent_bits(Lanes x) {
  for (int i = 0; i < kLanes; ++i) x[i] = static_cast<double>(std::bit_cast<std::int64_t>(x[i]) >> 52);
  return x;
}
/// For 0 <= x < 2^31.
inline Lanes rounded_down(Lanes x) {
  for (int i = 0; i < kLanes; ++i) x[i] = static_cast<double>(static_cast<std::int32_t>(x[i]));
  return x;
}

#endif

/// Index of the lowest bit; x is not 0.
inline int first_bit(std::uint64_t x) { return std::countr_zero(x); }
inline Lanes least_of(Lanes a, Lanes b) { return select(b < a, b, a); }
inline Lanes most_of(Lanes a, Lanes b) { return select(a < b, b, a); }
inline Lanes norm_of(Lanes x, Lanes y) { return root(x * x + y * y); }

}  // namespace
}  // namespace paymaster
