#include "networks/follower_update.hpp"

#include "networks/follower_learning.hpp"
#include "networks/wide_follower_update.hpp"
#include "simd/processor.hpp"

namespace paymaster {

std::unique_ptr<FollowerUpdate> make_follower_update(const FollowerWeights& weights, const ActingSizes& sizes,
                                                     const float* parameters, float* gradient, std::size_t count) {
#if defined(PAYMASTER_WIDE_NETWORKS)
  if (has_avx512()) return avx512_follower_update(weights, sizes, parameters, gradient, count);
  if (has_avx2()) return avx2_follower_update(weights, sizes, parameters, gradient, count);
#endif
  return std::make_unique<FollowerLearning>(weights, sizes, parameters, gradient, count);
}

}  // namespace paymaster
