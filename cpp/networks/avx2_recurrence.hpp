// The loops of recurrence.hpp in AVX2 registers. Only where has_avx2().
#pragma once

#include "networks/recurrence.hpp"

namespace paymaster {

void avx2_recur(const RecurrenceForward<float>& arrays, const PackedSteps& steps);
void avx2_recur_back(const RecurrenceBackward<float>& arrays, const PackedSteps& steps);

}  // namespace paymaster
