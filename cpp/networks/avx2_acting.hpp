// The steps of acting.hpp in AVX2 registers. Only where has_avx2().
#pragma once

#include "networks/acting.hpp"

namespace paymaster {

void avx2_act(const LeaderWeights& weights, const ActingSizes& sizes, const LeaderStepArrays& arrays);
void avx2_act(const FollowerWeights& weights, const ActingSizes& sizes, const FollowerStepArrays& arrays);

}  // namespace paymaster
