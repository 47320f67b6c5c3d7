// leader_update.hpp in wider registers. Only where has_avx2() and has_avx512().
#pragma once

#include "networks/leader_update.hpp"

namespace paymaster {

std::unique_ptr<LeaderUpdate> avx2_leader_update(const LeaderWeights& weights, const ActingSizes& sizes,
                                                 const float* parameters, float* gradient, std::size_t count);
std::unique_ptr<LeaderUpdate> avx512_leader_update(const LeaderWeights& weights, const ActingSizes& sizes,
                                                   const float* parameters, float* gradient, std::size_t count);

}  // namespace paymaster
