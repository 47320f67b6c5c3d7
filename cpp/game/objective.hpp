// What a leader is rewarded for: its gain, or a weighted sum of gain, welfare and equality.
#pragma once

#include <algorithm>
#include <cmath>

#include "game/contract.hpp"

namespace paymaster {

struct Objective {
  explicit Objective(const GameConfig& config)
      : gain(config.weight_gain),
        welfare(config.weight_welfare),
        equality(config.weight_equality),
        poorest_(config.equality == "poorest") {}

  /// The gain alone.
  bool plain() const { return gain == 1 && welfare == 0 && equality == 0; }

  /// How equal n followers' rewards of the episode so far are: 1 - Gini, 0 as long as nobody has any; or the least of them.
  /// Where some are negative, absolute values take the place of the sum in Gini's denominator.
  template <int MaxFollowers>
  double equality_of(const Follower* followers, int n) const {
    double earned[std::max(MaxFollowers, 32)];  // GCC warns of std::sort on an array shorter than its threshold of 16
    for (int k = 0; k < n; ++k) earned[k] = followers[k].earned;
    if (poorest_) return *std::min_element(earned, earned + n);
    std::sort(earned, earned + n);
    double ranked = 0, size = 0;
    for (int k = 0; k < n; ++k) {
      ranked += (2 * k + 1 - n) * earned[k];
      size += std::abs(earned[k]);
    }
    return size > 0 ? 1 - ranked / (n * size) : 0;
  }

  double gain, welfare, equality;  // weights

 private:
  bool poorest_;
};

}  // namespace paymaster
