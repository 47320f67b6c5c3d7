// Advantages of followers' steps: paymaster/algorithms/advantages.py has the definition.
#pragma once

#include <cstddef>

namespace paymaster {

/// T steps of B N seats. All arrays [T, B N], in C order.
struct FollowerReturns {
  std::size_t steps, seats;
  const float* reward;
  const float* value;  // 0 at steps that do not count
  const bool* acts;    // which steps count
};

/// Of the advantages of the steps that count.
struct Moments {
  double count = 0.0, mean = 0.0;
  double squares = 0.0;  // sum of the squared distances from the mean
};

/// Writes the advantages (GAE), 0 at steps that do not count, and the values' targets.
Moments follower_advantages(const FollowerReturns& returns, double gamma, double gae_lambda, float* advantage,
                            float* target);

}  // namespace paymaster
