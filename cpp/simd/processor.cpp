// In a file that is compiled for every processor: it is asked before anything compiled for AVX2 runs.
#include "simd/processor.hpp"

#include <cstdlib>

namespace paymaster {

bool has_avx2() {
#if defined(PAYMASTER_AVX2)
  static const bool has =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && std::getenv("PAYMASTER_NO_AVX2") == nullptr;
  return has;
#else
  return false;
#endif
}

bool has_avx512() {
#if defined(PAYMASTER_AVX2)
  static const bool has = has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
                          std::getenv("PAYMASTER_NO_AVX512") == nullptr;
  return has;
#else
  return false;
#endif
}

}  // namespace paymaster
