// The searches of lane_search.hpp and wide_search.hpp in AVX2 registers.
#pragma once

#include "worlds/grid/lane_search.hpp"
#include "worlds/grid/wide_search.hpp"

namespace paymaster {

/// Only where has_avx2().
void avx2_routes(LaneQueries& queries, std::int16_t (*distance)[kGridGoals], std::uint8_t (*action)[kGridGoals]);
void avx2_wide_routes(const WideScene& scene, const WideQuery* queries, int count, std::int16_t (*distance)[kGridGoals],
                      std::uint8_t (*action)[kGridGoals]);

}  // namespace paymaster
