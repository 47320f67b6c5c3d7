// Compiled for AVX2 (see CMakeLists.txt) and entered only where has_avx2() says so. An inline function that other files
// use too could end up in the program in this file's version and be run on any processor; so this file uses the search's
// templates only with a type of its own.
#include "worlds/grid/avx2_search.hpp"

#if defined(__AVX2__)
#include <immintrin.h>

namespace paymaster {
namespace {

struct Avx2 {
  using Lanes = __m256i;
  using Count = __m256i;  // shifts lane by lane are the cheaper ones

  static Lanes all(std::uint64_t value) { return _mm256_set1_epi64x(static_cast<long long>(value)); }
  static Count count(int n) { return _mm256_set1_epi64x(n); }
  static Lanes load(const std::uint64_t* words) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words)); }
  static void store(std::uint64_t* words, Lanes a) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(words), a); }
  static Lanes up(Lanes a, Count n) { return _mm256_sllv_epi64(a, n); }
  static Lanes up1(Lanes a) { return _mm256_add_epi64(a, a); }
  static Lanes down(Lanes a, Count n) { return _mm256_srlv_epi64(a, n); }
  static Lanes down1(Lanes a) { return _mm256_srli_epi64(a, 1); }
  static Lanes unite(Lanes a, Lanes b) { return _mm256_or_si256(a, b); }
  static Lanes common(Lanes a, Lanes b) { return _mm256_and_si256(a, b); }
  static Lanes without(Lanes a, Lanes b) { return _mm256_andnot_si256(b, a); }
  static Lanes add(Lanes a, Lanes b) { return _mm256_add_epi64(a, b); }
  static Lanes same(Lanes a, Lanes b) { return _mm256_cmpeq_epi64(a, b); }
  static bool full(Lanes a) { return _mm256_movemask_epi8(a) == -1; }
};

}  // namespace

void avx2_routes(LaneQueries& queries, std::int16_t (*distance)[kGridGoals], std::uint8_t (*action)[kGridGoals]) {
  lane_routes<Avx2>(queries, distance, action);
}

void avx2_wide_routes(const WideScene& scene, const WideQuery* queries, int count, std::int16_t (*distance)[kGridGoals],
                      std::uint8_t (*action)[kGridGoals]) {
  wide_routes<Avx2>(scene, queries, count, distance, action);
}

}  // namespace paymaster

#else  // a processor or compiler without AVX2: the plain lanes serve alone

namespace paymaster {

void avx2_routes(LaneQueries&, std::int16_t (*)[kGridGoals], std::uint8_t (*)[kGridGoals]) {}
void avx2_wide_routes(const WideScene&, const WideQuery*, int, std::int16_t (*)[kGridGoals],
                      std::uint8_t (*)[kGridGoals]) {}

}  // namespace paymaster

#endif
