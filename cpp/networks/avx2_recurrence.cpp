// Compiled for AVX2 and FMA (see CMakeLists.txt) and entered only where has_avx2() says so.
#include "networks/avx2_recurrence.hpp"

#include "networks/recurrence_steps.hpp"

namespace paymaster {

void avx2_recur(const RecurrenceForward<float>& arrays, const PackedSteps& steps) { forward(arrays, steps); }
void avx2_recur_back(const RecurrenceBackward<float>& arrays, const PackedSteps& steps) { backward(arrays, steps); }

}  // namespace paymaster
