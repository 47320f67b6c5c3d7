// The search of lane_search.hpp in AVX2 registers.
#pragma once

#include "lane_search.hpp"

namespace paymaster {

/// Whether this processor has AVX2 and the build knows it; PAYMASTER_NO_AVX2 in the environment says no.
bool has_avx2();

void avx2_routes(LaneQueries& queries, std::int16_t (*distance)[kMaxGoals], std::uint8_t (*action)[kMaxGoals]);

}  // namespace paymaster
