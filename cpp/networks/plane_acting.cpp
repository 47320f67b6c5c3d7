#include "networks/plane_acting.hpp"

#include <cmath>

#include "networks/plane_step.hpp"
#include "networks/wide_acting.hpp"
#include "simd/processor.hpp"

namespace paymaster {

bool plane_decide(const PlaneWeights& weights, const PlaneSizes& sizes, const PlaneDecision& step,
                  PlaneScratch& scratch) {
#if defined(PAYMASTER_WIDE_NETWORKS)
  if (has_avx512()) return avx512_decide(weights, sizes, step, scratch);
  if (has_avx2()) return avx2_decide(weights, sizes, step, scratch);
#endif
  return PlaneStep::decide(weights, sizes, step, scratch);
}

void plane_follow(const PlaneWeights& weights, const PlaneSizes& sizes, const std::int64_t* offer, const float* state,
                  bool first, float* after, PlaneScratch& scratch) {
#if defined(PAYMASTER_WIDE_NETWORKS)
  if (has_avx512()) return avx512_follow(weights, sizes, offer, state, first, after, scratch);
  if (has_avx2()) return avx2_follow(weights, sizes, offer, state, first, after, scratch);
#endif
  PlaneStep::follow(weights, sizes, offer, state, first, after, scratch);
}

void rms_step(float* parameter, const float* gradient, float* square, std::size_t count, const RmsStep& step) {
  for (std::size_t i = 0; i < count; ++i) {
    square[i] = step.alpha * square[i] + (1.0F - step.alpha) * gradient[i] * gradient[i];
    parameter[i] -= step.rate * gradient[i] / (std::sqrt(square[i]) + step.epsilon);
  }
}

double absolute_sum(const float* values, std::size_t count) {
  constexpr std::size_t kLanes = 16, kBlock = 4096;
  double total = 0;
  for (std::size_t begin = 0; begin < count; begin += kBlock) {
    const std::size_t end = std::min(count, begin + kBlock), whole = end - (end - begin) % kLanes;
    float lane[kLanes] = {};
    for (std::size_t i = begin; i < whole; i += kLanes)
      for (std::size_t j = 0; j < kLanes; ++j) lane[j] += std::fabs(values[i + j]);
    for (const float part : lane) total += static_cast<double>(part);
    for (std::size_t i = whole; i < end; ++i) total += static_cast<double>(std::fabs(values[i]));
  }
  return total;
}

}  // namespace paymaster
