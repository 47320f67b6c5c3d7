// Compiled for AVX-512 (see CMakeLists.txt) and entered only where has_avx512() says so.
#include "networks/follower_step.hpp"
#include "networks/leader_step.hpp"
#include "networks/plane_step.hpp"
#include "networks/wide_acting.hpp"

namespace paymaster {

void avx512_act(const LeaderWeights& weights, const ActingSizes& sizes, const LeaderStepArrays& arrays) {
  play<LeaderStep>(weights, sizes, arrays);
}

void avx512_act(const FollowerWeights& weights, const ActingSizes& sizes, const FollowerStepArrays& arrays) {
  play(weights, sizes, arrays);
}

bool avx512_decide(const PlaneWeights& weights, const PlaneSizes& sizes, const PlaneDecision& step,
                   PlaneScratch& scratch) {
  return PlaneStep::decide(weights, sizes, step, scratch);
}

void avx512_follow(const PlaneWeights& weights, const PlaneSizes& sizes, const std::int64_t* offer, const float* state,
                   bool first, float* after, PlaneScratch& scratch) {
  PlaneStep::follow(weights, sizes, offer, state, first, after, scratch);
}

}  // namespace paymaster
