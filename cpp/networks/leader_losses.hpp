// A leader's losses at one follower's step, and their gradients: paymaster/algorithms/losses.py. Local to the file that
// includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "networks/leader_update.hpp"
#include "networks/numbers.hpp"
#include "networks/panel.hpp"

namespace paymaster {
namespace {

/// A loss and its derivative by the log-probability of a choice; of several side by side.
template <class W>
struct ChoiceLoss {
  W loss, by_log_prob;
};

/// The policy gradient's; clipped where there is an old log-probability.
template <class W>
inline ChoiceLoss<W> choice_loss(W log_prob, W advantage, const float* old, double clip) {
  if (old == nullptr) return {W{} - advantage * log_prob, W{} - advantage};
  const auto low = static_cast<float>(1.0 - clip), high = static_cast<float>(1.0 + clip);
  const W ratio = exponential(W(log_prob - load<W>(old)));
  const W raised = ratio < low ? W{} + low : ratio, clamped = raised > high ? W{} + high : raised;
  const W free_loss = ratio * advantage, clipped_loss = clamped * advantage;
  return {clipped_loss < free_loss ? W{} - clipped_loss : W{} - free_loss,
          clipped_loss < free_loss ? W{} : W{} - free_loss};
}

/// log x to 1e-7 without a call, where x is no smaller than the smallest normal number; NaN of NaN. Floats, or one of them.
template <class F>
inline F fast_logarithm(F x) {
  using Bits = std::conditional_t<sizeof(F) == sizeof(float), std::int32_t, FloatBits>;
  constexpr std::int32_t kRoot = 0x3F3504F3;  // of a half: the fraction is to be 0.707 to 1.414
  const Bits exponent = (std::bit_cast<Bits>(x) - kRoot) >> 23;
  const F f = std::bit_cast<F>(std::bit_cast<Bits>(x) - (exponent << 23)) - 1.0F;
  constexpr float kShift = 12582912.0F;  // 1.5 * 2^23: an integer added to its bits is added to the float
  const F power = std::bit_cast<F>(exponent + std::bit_cast<std::int32_t>(kShift)) - kShift;
  F series = f * 7.0376836292e-2F - 1.1514610310e-1F;
  series = series * f + 1.1676998740e-1F;
  series = series * f - 1.2420140846e-1F;
  series = series * f + 1.4249322787e-1F;
  series = series * f - 1.6668057665e-1F;
  series = series * f + 2.0000714765e-1F;
  series = series * f - 2.4999993993e-1F;
  series = series * f + 3.3333331174e-1F;
  const F square = f * f;
  const F result = (series * f * square - power * 2.12194440e-4F - square * 0.5F) + f + power * 0.693359375F;
  return x == x ? result : x;
}

/// log e^x / sum e^x in place, of numbers that lie as for over_exponentials().
inline void fast_log_softmax(float* x, std::size_t count, std::size_t step, std::size_t size) {
  over_exponentials(x, count, step, size, [&]<class W>(std::size_t j, W largest, W sum) {
    const W log_sum = fast_logarithm(sum);
    for (std::size_t i = 0; i < count; ++i) {
      float* at = x + i * step + j;
      store(W((load<W>(at) - largest) - log_sum), at);
    }
  });
}

/// -log(1 + e^-x), without overflow.
template <class W>
inline W log_sigmoid(W x) {
  const W below = x < W{} ? x : W{} - x;
  return (x < W{} ? x : W{}) - fast_logarithm(W(1.0F + exponential(below)));
}

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
    return in(chosen) ? log_mu[chosen] - largest - fast_logarithm(sum) : -INFINITY;
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
