// The gradient of followers' losses over the steps of whole episodes, on the CPU. Network and losses are defined in
// paymaster/networks/follower_policy.py and paymaster/algorithms/followers.py; here the same is computed forward and
// backward by a few kernels, from the same weights where torch has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "networks/acting.hpp"

namespace paymaster {

/// T steps of the followers of B games: paymaster.algorithms.followers.FollowerEpisodes. All arrays are whole and in C
/// order.
struct FollowerSteps {
  std::size_t steps, seats;      // T; B N
  const float* own;              // [T, B, N, F]
  const float* goal;             // [T, B, N, G, D]
  const std::int64_t* identity;  // [B, N], in 0..P-1
  const std::int64_t* action;    // [T, B, N], in 0..A-1
  const bool* acts;              // [T, B, N], which steps count
};

/// paymaster.algorithms.followers.FollowerLearning.
struct FollowerLossSettings {
  double explore = 0.0;  // iota, with which actions were drawn
  double critic = 0.0, entropy = 0.0, clip = 0.0;
};

/// What the losses compare the network with. All [T, B, N].
struct FollowerTargets {
  const float* advantage;
  const float* value;
};

/// Sums over all steps that count.
struct FollowerLossSums {
  double policy = 0.0, critic = 0.0, entropy = 0.0;
};

/// A network of followers that learn, all with one set of weights. Parameters lie in one array, and the gradient in
/// another, in the same order.
class FollowerUpdate {
 public:
  virtual ~FollowerUpdate() = default;

  /// Lays out what followers saw and did, for the calls that follow.
  virtual void take(const FollowerSteps& steps) = 0;
  /// Writes the values [T, B, N], 0 at steps that do not count.
  virtual void judge(float* value) = 0;
  /// Writes the gradient of the losses' weighted mean over steps, times `scale`. The `first` gradient step remembers the
  /// log-probabilities of the actions, against which later ones are clipped.
  virtual FollowerLossSums learn(const FollowerLossSettings& settings, const FollowerTargets& targets, bool first,
                                 double scale) = 0;
};

/// Args: sizes without games and followers; `gradient` has `count` numbers, as `parameters`, in which all weights lie.
std::unique_ptr<FollowerUpdate> make_follower_update(const FollowerWeights& weights, const ActingSizes& sizes,
                                                     const float* parameters, float* gradient, std::size_t count);

}  // namespace paymaster
