// The steps of acting.hpp in wider registers. Only where has_avx2() and has_avx512().
#pragma once

#include "networks/acting.hpp"

namespace paymaster {

void avx2_act(const LeaderWeights& weights, const ActingSizes& sizes, const LeaderStepArrays& arrays);
void avx2_act(const FollowerWeights& weights, const ActingSizes& sizes, const FollowerStepArrays& arrays);
void avx512_act(const LeaderWeights& weights, const ActingSizes& sizes, const LeaderStepArrays& arrays);
void avx512_act(const FollowerWeights& weights, const ActingSizes& sizes, const FollowerStepArrays& arrays);

}  // namespace paymaster
