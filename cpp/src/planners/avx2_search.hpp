// The search of lane_search.hpp in AVX2 registers.
#pragma once

#include "lane_search.hpp"

namespace paymaster {

/// Only where has_avx2().
void avx2_routes(LaneQueries& queries, std::int16_t (*distance)[kMaxGoals], std::uint8_t (*action)[kMaxGoals]);

}  // namespace paymaster
