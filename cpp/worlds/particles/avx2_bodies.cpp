// Compiled for AVX2 (see CMakeLists.txt) and entered only where has_avx2() says so.
#include "worlds/particles/avx2_bodies.hpp"

#include "worlds/particles/body_lanes.hpp"

namespace paymaster {

void avx2_move_bodies(const BodyRows& rows, double (*position)[2], double (*velocity)[2], const std::uint8_t* actions) {
  BodyLanes(rows, position, velocity, actions).step();
}

}  // namespace paymaster
