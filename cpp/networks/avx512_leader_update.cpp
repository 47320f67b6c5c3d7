// Compiled for AVX-512 (see CMakeLists.txt) and entered only where has_avx512() says so.
#include "networks/wide_leader_update.hpp"

#include "networks/leader_learning.hpp"

namespace paymaster {

std::unique_ptr<LeaderUpdate> avx512_leader_update(const LeaderWeights& weights, const ActingSizes& sizes,
                                                   const float* parameters, float* gradient, std::size_t count) {
  return std::make_unique<LeaderLearning>(weights, sizes, parameters, gradient, count);
}

}  // namespace paymaster
