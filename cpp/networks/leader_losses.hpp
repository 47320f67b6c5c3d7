// A leader's losses at one follower's step, and their gradients: paymaster/algorithms/losses.py. Local to the file that
// includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "networks/leader_update.hpp"
#include "networks/numbers.hpp"

namespace paymaster {
namespace {

/// A loss and its derivative by the log-probability of a choice.
struct ChoiceLoss {
  double loss;
  float by_log_prob;
};

/// The policy gradient's; clipped where there is an old log-probability.
inline ChoiceLoss choice_loss(float log_prob, float advantage, const float* old, double clip) {
  if (old == nullptr) return {-static_cast<double>(advantage) * static_cast<double>(log_prob), -advantage};
  const float ratio = std::exp(log_prob - *old);
  const auto low = static_cast<float>(1.0 - clip), high = static_cast<float>(1.0 + clip);
  const float clamped = ratio < low ? low : ratio > high ? high : ratio;
  const bool free = !(clamped * advantage < ratio * advantage);
  return {-static_cast<double>(free ? ratio * advantage : clamped * advantage), free ? -advantage * ratio : 0.0F};
}

/// -log(1 + e^-x), without overflow.
inline float log_sigmoid(float x) { return std::min(x, 0.0F) - std::log1p(std::exp(-std::abs(x))); }

/// What the loss says of a follower's choice among O offers.
class OfferLoss {
 public:
  OfferLoss(const ActingSizes& sizes, const LossSettings& settings)
      : s_(sizes), l_(settings), gradient_(sizes.offers), probability_(sizes.offers) {}

  struct Step {
    std::int64_t offer, held;
    bool fresh;     // a new offer was drawn
    bool explored;  // within the goal that exploration had set
  };

  /// log p of the offer, and in gradient() its derivatives by log mu.
  float log_prob(const float* log_mu, const Step& step) {
    std::fill(gradient_.begin(), gradient_.end(), 0.0F);
    if (step.explored) return of_bonus(log_mu, step.offer);
    if (step.fresh) return of_new(log_mu, step.offer, step.held);
    if (!l_.dense) return 0.0F;
    const auto chosen = static_cast<std::size_t>(step.offer);
    gradient_[chosen] = 1.0F;
    return log_mu[chosen];
  }
  /// Scales these derivatives.
  void weigh(float factor) {
    for (float& by : gradient_) by *= factor;
  }
  /// The entropy of mu; adds `weight` times its derivatives.
  double entropy(const float* log_mu, float weight) {
    double sum = 0.0;
    for (std::size_t o = 0; o < s_.offers; ++o) {
      const float p = exponential(log_mu[o]);
      sum -= static_cast<double>(p * log_mu[o]);
      gradient_[o] -= weight * (p * log_mu[o] + p);
    }
    return sum;
  }
  const float* gradient() const { return gradient_.data(); }

 private:
  /// Among the offers in first..last but `excluded`: log p, and p in probability_.
  float among(const float* log_mu, std::size_t first, std::size_t last, std::int64_t excluded, std::size_t chosen) {
    float largest = -INFINITY, sum = 0.0F;
    const auto in = [=](std::size_t o) { return static_cast<std::int64_t>(o) != excluded; };
    for (std::size_t o = first; o < last; ++o)
      if (in(o)) largest = larger_of(largest, log_mu[o]);
    for (std::size_t o = first; o < last; ++o) sum += probability_[o] = in(o) ? exponential(log_mu[o] - largest) : 0.0F;
    for (std::size_t o = first; o < last; ++o) probability_[o] /= sum;
    return in(chosen) ? log_mu[chosen] - largest - std::log(sum) : -INFINITY;
  }
  static float larger_of(float a, float b) { return a > b ? a : b; }

  float of_new(const float* log_mu, std::int64_t offer, std::int64_t held) {
    const auto chosen = static_cast<std::size_t>(offer);
    float log_p = among(log_mu, 0, s_.offers, held, chosen), by = 1.0F;
    if (l_.explore > 0.0) {
      const double drawn = (1.0 - l_.explore) * static_cast<double>(probability_[chosen]);
      const double mixed = drawn + l_.explore / static_cast<double>(s_.offers - (held >= 0 ? 1 : 0));
      log_p = static_cast<float>(std::log(mixed));
      by = static_cast<float>(drawn / mixed);
    }
    for (std::size_t o = 0; o < s_.offers; ++o) gradient_[o] = -by * probability_[o];
    gradient_[chosen] += by;
    return log_p;
  }

  float of_bonus(const float* log_mu, std::int64_t offer) {
    const std::size_t k = s_.bonuses, chosen = std::min(static_cast<std::size_t>(offer), s_.goals * k - 1);
    const std::size_t first = chosen / k * k;
    const float log_p = among(log_mu, first, first + k, -1, chosen);
    for (std::size_t o = first; o < first + k; ++o) gradient_[o] = -probability_[o];
    gradient_[chosen] += 1.0F;
    return log_p;
  }

  const ActingSizes& s_;
  const LossSettings& l_;
  std::vector<float> gradient_, probability_;
};

}  // namespace
}  // namespace paymaster
