// Compiled for AVX2 (see CMakeLists.txt) and entered only where has_avx2() says so.
#include "worlds/particles/avx2_steering.hpp"

#include "worlds/particles/steering_lanes.hpp"

namespace paymaster {

void avx2_steer_all(const SteeringTables& tables, const SteeringScene& scene, std::int16_t (*steps)[kParticleGoals],
                    std::uint8_t (*action)[kParticleGoals]) {
  SteeringLanes(tables, scene).run(steps, action);
}

}  // namespace paymaster
