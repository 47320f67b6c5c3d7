// Followers' losses at a panel of steps, and their gradients: paymaster/algorithms/followers.py. Local to the file that
// includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "networks/follower_rows.hpp"
#include "networks/leader_losses.hpp"

namespace paymaster {
namespace {

class FollowerLoss {
 public:
  explicit FollowerLoss(std::size_t actions) : actions_(actions) {}

  /// Args: `out` [A + 1, columns], the logits and the value, which their gradients by the mean loss replace; `share` of
  /// a step in that mean; `old` [R], log-probabilities of the actions, written by the first gradient step.
  void learn(const FollowerRows& rows, std::size_t panel, const FollowerLossSettings& settings,
             const FollowerTargets& targets, bool first, float share, float* out, float* old, FollowerLossSums& sums) {
    constexpr std::size_t w = FollowerRows::kColumns;
    const std::size_t count = rows.count(panel);
    float* value = out + actions_ * w;
    log_softmax(out, actions_, w, w);
    std::fill_n(by_chosen_, w, 0.0F);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t step = rows.step(panel, i);
      const Chosen chosen = chosen_of(out[rows.action(panel, i) * w + i], settings.explore);
      float& before = old[panel * w + i];
      if (first) before = chosen.log_prob;
      const ChoiceLoss loss =
          choice_loss(chosen.log_prob, targets.advantage[step], first ? nullptr : &before, settings.clip);
      by_chosen_[i] = share * loss.by_log_prob * chosen.by_policy;
      sums.policy += loss.loss;
      const float off = value[i] - targets.value[step];
      value[i] = share * static_cast<float>(settings.critic) * off;
      sums.critic += 0.5 * static_cast<double>(off) * static_cast<double>(off);
    }
    std::fill(value + count, value + w, 0.0F);
    by_logits(static_cast<float>(settings.entropy) * share, out);
    for (std::size_t i = 0; i < count; ++i) {
      out[rows.action(panel, i) * w + i] += by_chosen_[i];
      sums.entropy += static_cast<double>(entropy_[i]);
    }
    for (std::size_t a = 0; a < actions_; ++a) std::fill(out + a * w + count, out + (a + 1) * w, 0.0F);
  }

 private:
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

  /// Entropies, and of log-probabilities the gradients by the logits, but for what the chosen action has beyond others.
  void by_logits(float entropy_weight, float* out) {
    constexpr std::size_t w = FollowerRows::kColumns;
    across<float>(w, [&]<class W>(W, std::size_t j) {
      W entropy{};
      for (std::size_t a = 0; a < actions_; ++a) {
        const W log_p = load<W>(out + a * w + j);
        entropy -= exponential(log_p) * log_p;
      }
      store(entropy, entropy_ + j);
      const W by_chosen = load<W>(by_chosen_ + j);
      for (std::size_t a = 0; a < actions_; ++a) {
        const W log_p = load<W>(out + a * w + j);
        store(W(exponential(log_p) * (entropy_weight * (log_p + entropy) - by_chosen)), out + a * w + j);
      }
    });
  }

  const std::size_t actions_;
  float by_chosen_[FollowerRows::kColumns] = {}, entropy_[FollowerRows::kColumns] = {};
};

}  // namespace
}  // namespace paymaster
