// follower_update.hpp in wider registers. Only where has_avx2() and has_avx512().
#pragma once

#include "networks/follower_update.hpp"

namespace paymaster {

std::unique_ptr<FollowerUpdate> avx2_follower_update(const FollowerWeights& weights, const ActingSizes& sizes,
                                                     const float* parameters, float* gradient, std::size_t count);
std::unique_ptr<FollowerUpdate> avx512_follower_update(const FollowerWeights& weights, const ActingSizes& sizes,
                                                       const float* parameters, float* gradient, std::size_t count);

}  // namespace paymaster
