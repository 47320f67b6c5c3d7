// Compiled for AVX2 and FMA (see CMakeLists.txt) and entered only where has_avx2() says so.
#include "networks/follower_step.hpp"
#include "networks/leader_step.hpp"
#include "networks/wide_acting.hpp"

namespace paymaster {

void avx2_act(const LeaderWeights& weights, const ActingSizes& sizes, const LeaderStepArrays& arrays) {
  play<LeaderStep>(weights, sizes, arrays);
}

void avx2_act(const FollowerWeights& weights, const ActingSizes& sizes, const FollowerStepArrays& arrays) {
  play(weights, sizes, arrays);
}

}  // namespace paymaster
