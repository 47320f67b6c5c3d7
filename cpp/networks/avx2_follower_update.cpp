// Compiled for AVX2 and FMA (see CMakeLists.txt) and entered only where has_avx2() says so.
#include "networks/follower_learning.hpp"
#include "networks/wide_follower_update.hpp"

namespace paymaster {

std::unique_ptr<FollowerUpdate> avx2_follower_update(const FollowerWeights& weights, const ActingSizes& sizes,
                                                     const float* parameters, float* gradient, std::size_t count) {
  return std::make_unique<FollowerLearning>(weights, sizes, parameters, gradient, count);
}

}  // namespace paymaster
