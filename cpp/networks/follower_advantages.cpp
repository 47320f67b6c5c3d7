#include "networks/follower_advantages.hpp"

#include <vector>

namespace paymaster {

Moments follower_advantages(const FollowerReturns& returns, double gamma, double gae_lambda, float* advantage,
                            float* target) {
  const std::size_t seats = returns.seats, every = returns.steps * seats;
  const auto discount = static_cast<float>(gamma), decay = static_cast<float>(gamma * gae_lambda);
  const std::vector<float> nothing(seats);
  const float* following = nothing.data();  // value of the step after
  std::vector<float> ahead(seats);          // sum over that step and later ones
  Moments moments;
  double sum = 0.0;
  for (std::size_t row = every; row > 0;) {
    row -= seats;
    const float *reward = returns.reward + row, *value = returns.value + row;
    const bool* acts = returns.acts + row;
    for (std::size_t i = 0; i < seats; ++i) {
      ahead[i] = (acts[i] ? reward[i] : 0.0F) + discount * following[i] - value[i] + decay * ahead[i];
      target[row + i] = value[i] + ahead[i];
      advantage[row + i] = acts[i] ? ahead[i] : 0.0F;
    }
    for (std::size_t i = 0; i < seats; ++i)
      moments.count += acts[i] ? 1.0 : 0.0, sum += static_cast<double>(advantage[row + i]);
    following = value;
  }
  if (moments.count == 0.0) return moments;
  moments.mean = sum / moments.count;
  for (std::size_t i = 0; i < every; ++i) {
    const double off = returns.acts[i] ? static_cast<double>(advantage[i]) - moments.mean : 0.0;
    moments.squares += off * off;
  }
  return moments;
}

}  // namespace paymaster
