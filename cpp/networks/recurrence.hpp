// A GRU over packed sequences: the part of a leader's networks that goes step by step, and is so small that starting
// operations would take longer than their arithmetic. What does not go step by step is left to torch.
#pragma once

#include <cstddef>
#include <cstdint>

namespace paymaster {

/// Sequences packed as torch does: R = sum of sizes rows, those of one step after those of the step before.
struct PackedSteps {
  const std::int64_t* sizes;  // [steps], sequences in each step, never more than in the step before
  std::size_t steps;
  std::size_t hidden;  // H
};

/// r, z = sigmoid(x_rz + h_rz); n = tanh(x_n + r h_n); h' = (1 - z) n + z h, where h_. = W_. h + b_.
/// All arrays are whole and in C order.
template <class Real>
struct RecurrenceForward {
  const Real* x;       // [R, 3H], inputs of r, z and n side by side
  const Real* start;   // [sizes[0], H], h before the first step
  const Real* weight;  // [3H, H]
  const Real* bias;    // [3H]
  Real* gates;         // [R, 3H], out: r, z, h_n
  Real* proposed;      // [R, H], out: n
  Real* states;        // [R, H], out: h'
};

template <class Real>
struct RecurrenceBackward {
  const Real* grad;   // [R, H], of the states
  const Real* start;  // as above, and what the forward pass has left
  const Real* weight;
  const Real* gates;
  const Real* proposed;
  const Real* states;
  Real* from_x;      // [R, 3H], out: gradient of x
  Real* from_h;      // [R, 3H], out: gradient of h_r, h_z, h_n
  Real* before;      // [R, H], out: h before each step; the weight's gradient is from_h^T before
  Real* from_start;  // [sizes[0], H], out: gradient of start
};

void recur(const RecurrenceForward<float>& arrays, const PackedSteps& steps);
void recur(const RecurrenceForward<double>& arrays, const PackedSteps& steps);
void recur_back(const RecurrenceBackward<float>& arrays, const PackedSteps& steps);
void recur_back(const RecurrenceBackward<double>& arrays, const PackedSteps& steps);

}  // namespace paymaster
