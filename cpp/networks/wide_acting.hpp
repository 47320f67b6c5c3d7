// The steps of acting.hpp in wider registers. Only where has_avx2() and has_avx512().
#pragma once

#include "networks/acting.hpp"
#include "networks/plane_acting.hpp"

namespace paymaster {

void avx2_act(const LeaderWeights& weights, const ActingSizes& sizes, const LeaderStepArrays& arrays);
void avx2_act(const FollowerWeights& weights, const ActingSizes& sizes, const FollowerStepArrays& arrays);
void avx512_act(const LeaderWeights& weights, const ActingSizes& sizes, const LeaderStepArrays& arrays);
void avx512_act(const FollowerWeights& weights, const ActingSizes& sizes, const FollowerStepArrays& arrays);
bool avx2_decide(const PlaneWeights& weights, const PlaneSizes& sizes, const PlaneDecision& step,
                 PlaneScratch& scratch);
void avx2_follow(const PlaneWeights& weights, const PlaneSizes& sizes, const std::int64_t* offer, const float* state,
                 bool first, float* after, PlaneScratch& scratch);
bool avx512_decide(const PlaneWeights& weights, const PlaneSizes& sizes, const PlaneDecision& step,
                   PlaneScratch& scratch);
void avx512_follow(const PlaneWeights& weights, const PlaneSizes& sizes, const std::int64_t* offer, const float* state,
                   bool first, float* after, PlaneScratch& scratch);

}  // namespace paymaster
