#include "networks/acting.hpp"

#include "networks/follower_step.hpp"
#include "networks/leader_step.hpp"
#include "networks/wide_acting.hpp"
#include "simd/processor.hpp"

namespace paymaster {

void act(const LeaderWeights& weights, const ActingSizes& sizes, const LeaderStepArrays& arrays) {
#if defined(PAYMASTER_WIDE_NETWORKS)
  if (has_avx512()) return avx512_act(weights, sizes, arrays);
  if (has_avx2()) return avx2_act(weights, sizes, arrays);
#endif
  play<LeaderStep>(weights, sizes, arrays);
}

void act(const FollowerWeights& weights, const ActingSizes& sizes, const FollowerStepArrays& arrays) {
#if defined(PAYMASTER_WIDE_NETWORKS)
  if (has_avx512()) return avx512_act(weights, sizes, arrays);
  if (has_avx2()) return avx2_act(weights, sizes, arrays);
#endif
  play(weights, sizes, arrays);
}

}  // namespace paymaster
