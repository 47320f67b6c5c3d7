#include <cmath>
#include <vector>

#include "networks/acting.hpp"

namespace paymaster {
namespace {

float chance(float logit) { return 1.0F / (1.0F + std::exp(-logit)); }

/// mu restricted to offers other than `held`, mixed with the uniform distribution over them; not scaled to sum to 1.
void weigh(const float* log_mu, std::int64_t held, double explore, std::vector<float>& weight) {
  const std::size_t offers = weight.size();
  const auto excluded = [held](std::size_t offer) { return static_cast<std::int64_t>(offer) == held; };
  float largest = -INFINITY, sum = 0.0F;
  for (std::size_t o = 0; o < offers; ++o)
    if (!excluded(o) && !(log_mu[o] <= largest)) largest = log_mu[o];
  for (std::size_t o = 0; o < offers; ++o) {
    weight[o] = excluded(o) ? 0.0F : std::exp(log_mu[o] - largest);
    sum += weight[o];
  }
  if (explore == 0.0) return;
  const auto rest = static_cast<float>(1.0 - explore);
  const float share = static_cast<float>(explore) / static_cast<float>(held < 0 ? offers : offers - 1);
  for (std::size_t o = 0; o < offers; ++o)
    if (!excluded(o)) weight[o] = rest * weight[o] / sum + share;
}

/// Index i with probability weight[i] / their sum.
std::size_t draw(std::vector<float>& weight, float uniform) {
  double sum = 0.0;
  for (float& w : weight) w = static_cast<float>(sum += static_cast<double>(w));
  const float reached = uniform * weight.back();
  std::size_t index = 0;
  while (index + 1 < weight.size() && weight[index] <= reached) ++index;
  return index;
}

}  // namespace

void draw_offers(const OfferDraws& draws, std::size_t rows, std::size_t offers, double explore) {
  std::vector<float> weight(offers);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::int64_t held = draws.held[row];
    const float* logit = draws.termination_logits;
    if (held >= 0 && (logit == nullptr || !(draws.uniform[row] < chance(logit[row])))) {
      draws.offer[row] = held;
      continue;
    }
    weigh(draws.log_mu + row * offers, held, explore, weight);
    draws.offer[row] = static_cast<std::int64_t>(draw(weight, draws.uniform[rows + row]));
  }
}

}  // namespace paymaster
