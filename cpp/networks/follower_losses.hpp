// Followers' losses at a block of steps, and their gradients: paymaster/algorithms/followers.py. Local to the file that
// includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "networks/follower_rows.hpp"
#include "networks/leader_losses.hpp"

namespace paymaster {
namespace {

class FollowerLoss {
 public:
  explicit FollowerLoss(std::size_t actions) : actions_(actions) {}

  /// Args: `row`, the first of `count` rows; `out` [A + 1, kBlock], the logits and the value, which their gradients by the
  /// mean loss replace; `share` of a step in that mean; `old` [kBlock], log-probabilities of the actions, written by the
  /// first gradient step.
  void learn(const FollowerRows& rows, std::size_t row, std::size_t count, const FollowerLossSettings& settings,
             const FollowerTargets& targets, bool first, float share, float* out, float* old, FollowerLossSums& sums) {
    float* value = out + actions_ * kBlock;
    if (count < kBlock) {  // columns without a step: numbers, which count for nothing
      for (std::size_t a = 0; a <= actions_; ++a) std::fill(out + a * kBlock + count, out + (a + 1) * kBlock, 0.0F);
      for (float* column : {log_prob_, by_policy_, advantage_, target_, counts_})
        std::fill(column + count, column + kBlock, 0.0F);
    }
    fast_log_softmax(out, actions_, kBlock, kBlock);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t step = rows.step(row + i);
      const Chosen chosen = chosen_of(out[rows.action(row + i) * kBlock + i], settings.explore);
      log_prob_[i] = chosen.log_prob, by_policy_[i] = chosen.by_policy, counts_[i] = 1.0F;
      advantage_[i] = targets.advantage[step], target_[i] = targets.value[step];
    }
    if (first) std::copy_n(log_prob_, kBlock, old);
    add_up(settings, first ? nullptr : old, share, out, value, sums);
    for (std::size_t i = 0; i < count; ++i) out[rows.action(row + i) * kBlock + i] += by_chosen_[i];
  }

 private:
  static constexpr std::size_t kBlock = FollowerLook::kBlock;

  /// The log-probability with which an action was drawn, and its derivative by the policy's.
  struct Chosen {
    float log_prob, by_policy;
  };
  Chosen chosen_of(float log_prob, double explore) const {
    if (explore == 0.0) return {log_prob, 1.0F};
    const double drawn = (1.0 - explore) * std::exp(static_cast<double>(log_prob));
    const double mixed = drawn + explore / static_cast<double>(actions_);
    return {static_cast<float>(std::log(mixed)), static_cast<float>(drawn / mixed)};
  }

  /// The losses; of log-probabilities and values the gradients, but for what the chosen action has beyond others.
  void add_up(const FollowerLossSettings& settings, const float* old, float share, float* out, float* value,
              FollowerLossSums& sums) {
    const auto critic = share * static_cast<float>(settings.critic);
    const auto weight = share * static_cast<float>(settings.entropy);
    Floats policy{}, squares{}, entropies{};
    for (std::size_t j = 0; j < kBlock; j += kWidth<float>) {
      const Floats counts = load<Floats>(counts_ + j);
      const ChoiceLoss<Floats> choice = choice_loss(load<Floats>(log_prob_ + j), load<Floats>(advantage_ + j),
                                                    old == nullptr ? nullptr : old + j, settings.clip);
      policy += counts * choice.loss;
      const Floats by_chosen = counts * share * choice.by_log_prob * load<Floats>(by_policy_ + j);
      store(by_chosen, by_chosen_ + j);
      const Floats off = counts * (load<Floats>(value + j) - load<Floats>(target_ + j));
      store(Floats(critic * off), value + j);
      squares += off * off;
      Floats entropy{};
      for (std::size_t a = 0; a < actions_; ++a) {
        const Floats log_p = load<Floats>(out + a * kBlock + j);
        entropy -= exponential(log_p) * log_p;
      }
      entropies += counts * entropy;
      for (std::size_t a = 0; a < actions_; ++a) {
        const Floats log_p = load<Floats>(out + a * kBlock + j);
        store(Floats(exponential(log_p) * (counts * weight * (log_p + entropy) - by_chosen)), out + a * kBlock + j);
      }
    }
    sums.policy += static_cast<double>(total(policy));
    sums.critic += 0.5 * static_cast<double>(total(squares));
    sums.entropy += static_cast<double>(total(entropies));
  }

  const std::size_t actions_;
  // Of a block, a column a step.
  float log_prob_[kBlock] = {}, by_policy_[kBlock] = {}, advantage_[kBlock] = {}, target_[kBlock] = {};
  float counts_[kBlock] = {}, by_chosen_[kBlock] = {};
};

}  // namespace
}  // namespace paymaster
