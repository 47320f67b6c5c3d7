// The gradient of a leader's losses over the steps of whole episodes, on the CPU. The network is that of
// paymaster/networks/*.py and the losses are those of paymaster/algorithms/losses.py, where both are defined; here the same
// is computed forward and backward by a few kernels, from the same weights where torch has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "networks/acting.hpp"

namespace paymaster {

/// Steps of whole episodes, packed as torch packs sequences: R of them, those of one step t together, the longest
/// episodes first (paymaster.algorithms.packed_steps.PackedSteps). All arrays are whole and in C order.
struct PlayedSteps {
  const std::int64_t* sizes;  // [steps], episodes that played step t
  std::size_t steps, followers;
  const float* follower;                // [R, N, F]
  const float* goal;                    // [R, N, G, D]
  const std::int64_t* previous;         // [R, N], omega_{t-1}, in -1..O-1
  const std::int64_t* offer;            // [R, N], omega_t, in 0..O-1
  const std::int64_t* held;             // [R, N], omega_{t-1} while its option runs on, else -1
  const std::int64_t* follower_action;  // [R, N], in 0..A-1
  const bool* new_offer;                // [R, N]
  const bool* explored;                 // [R, N], the goal was not the policy's choice
};

/// Which losses, and their weights: paymaster.algorithms.ebpg_config.EBPGConfig.
struct LossSettings {
  bool dense = false, entropy_of_decisions = false;
  double explore = 0.0;  // iota, with which new offers were drawn
  double critic = 0.0, entropy = 0.0, imitation = 0.0, penalty = 0.0, clip = 0.0;
};

/// What the losses compare the network with. All [R, N], the targets [R, N, G + K].
struct LossTargets {
  const float* advantage;
  const float* targets;
  const float* policy;  // log-probability of the choices when they were made; null: this is the first gradient step
  const float* termination;  // null: as above, or there is no termination function
};

/// What the network says before it learns. All [R, N], phi [R, N, G + K].
struct Judgement {
  float* phi;
  float* policy;       // log-probability of the offer
  float* termination;  // log-probability of its start or its going on; not written without a termination function
};

/// Sums over all followers' steps.
struct LossSums {
  double policy = 0.0, critic = 0.0, entropy = 0.0, imitation = 0.0, termination = 0.0, penalty = 0.0;
  double predicted = 0.0;  // actions foreseen
  double beta = 0.0;       // where an option could end
};

/// A leader's network that learns. Parameters lie in one array, and the gradient in another, in the same order.
class LeaderUpdate {
 public:
  virtual ~LeaderUpdate() = default;

  /// Takes the weights as they are now, for these steps.
  virtual void encode(const PlayedSteps& steps) = 0;
  /// Of those steps, with those weights, as all that follows.
  virtual LossSums judge(const PlayedSteps& steps, const LossSettings& settings, const Judgement& judgement) = 0;
  /// Writes the gradient of the losses' weighted sum over followers' steps, times `scale`.
  virtual LossSums learn(const PlayedSteps& steps, const LossSettings& settings, const LossTargets& targets,
                         double scale) = 0;
};

/// Args: sizes without games and followers; `gradient` has `count` numbers, as `parameters`, in which all weights lie.
std::unique_ptr<LeaderUpdate> make_leader_update(const LeaderWeights& weights, const ActingSizes& sizes,
                                                 const float* parameters, float* gradient, std::size_t count);

}  // namespace paymaster
