#include "networks/leader_update.hpp"

#include "networks/leader_learning.hpp"
#include "networks/wide_leader_update.hpp"
#include "simd/processor.hpp"

namespace paymaster {

std::unique_ptr<LeaderUpdate> make_leader_update(const LeaderWeights& weights, const ActingSizes& sizes,
                                                 const float* parameters, float* gradient, std::size_t count) {
#if defined(PAYMASTER_WIDE_NETWORKS)
  if (has_avx512()) return avx512_leader_update(weights, sizes, parameters, gradient, count);
  if (has_avx2()) return avx2_leader_update(weights, sizes, parameters, gradient, count);
#endif
  return std::make_unique<LeaderLearning>(weights, sizes, parameters, gradient, count);
}

}  // namespace paymaster
