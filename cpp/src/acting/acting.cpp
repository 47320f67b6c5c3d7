#include "paymaster/acting.hpp"

#include "../processor.hpp"
#include "avx2_acting.hpp"
#include "follower_step.hpp"
#include "leader_step.hpp"

namespace paymaster {

void act(const LeaderWeights& weights, const ActingSizes& sizes, const LeaderStepArrays& arrays) {
#if defined(PAYMASTER_AVX2)
  if (has_avx2()) return avx2_act(weights, sizes, arrays);
#endif
  play<LeaderStep>(weights, sizes, arrays);
}

void act(const FollowerWeights& weights, const ActingSizes& sizes, const FollowerStepArrays& arrays) {
#if defined(PAYMASTER_AVX2)
  if (has_avx2()) return avx2_act(weights, sizes, arrays);
#endif
  play<FollowerStep>(weights, sizes, arrays);
}

}  // namespace paymaster
