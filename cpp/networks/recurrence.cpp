#include "networks/recurrence.hpp"

#include "networks/avx2_recurrence.hpp"
#include "networks/recurrence_steps.hpp"
#include "simd/processor.hpp"

namespace paymaster {

void recur(const RecurrenceForward<float>& arrays, const PackedSteps& steps) {
#if defined(PAYMASTER_WIDE_NETWORKS)
  if (has_avx2()) return avx2_recur(arrays, steps);
#endif
  forward(arrays, steps);
}

void recur(const RecurrenceForward<double>& arrays, const PackedSteps& steps) { forward(arrays, steps); }

void recur_back(const RecurrenceBackward<float>& arrays, const PackedSteps& steps) {
#if defined(PAYMASTER_WIDE_NETWORKS)
  if (has_avx2()) return avx2_recur_back(arrays, steps);
#endif
  backward(arrays, steps);
}

void recur_back(const RecurrenceBackward<double>& arrays, const PackedSteps& steps) { backward(arrays, steps); }

}  // namespace paymaster
