// Followers that learn: what must hold of their gradient whatever the weights, with arrays of just their size.
// tests/python/test_core_follower_update.py compares the numbers with torch's.
#include "networks/follower_update.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "support/random.hpp"

namespace paymaster::test {
namespace {

constexpr std::size_t kSteps = 5, kSeats = 27, kPopulation = 6;

/// A network of odd sizes, so that nothing fits into registers, and steps of which some count.
class Followers {
 public:
  Followers(bool meta, bool embedded) {
    s_.goals = 3, s_.actions = meta ? 4 : 5, s_.follower_features = 7, s_.goal_features = 5, s_.hidden = 9;
    lay_out(meta, embedded);  // to count,
    parameters_ = numbers(placed_);
    placed_ = 0;
    lay_out(meta, embedded);  // and to place
    gradient_.resize(parameters_.size());
    update_ = make_follower_update(w_, s_, parameters_.data(), gradient_.data(), parameters_.size());
    const std::size_t rows = kSteps * kSeats;
    own_ = numbers(rows * s_.follower_features), goal_ = numbers(rows * s_.goals * s_.goal_features);
    advantage_ = numbers(rows), targets_ = numbers(rows);
    for (std::size_t seat = 0; seat < kSeats; ++seat) identity_.push_back(random_.below(kPopulation - 1));
    for (std::size_t row = 0; row < rows; ++row) action_.push_back(random_.below(static_cast<int>(s_.actions)));
  }

  /// The gradient of a second gradient step on the steps that count.
  std::vector<float> learn(const FollowerLossSettings& settings, const bool* acts) {
    update_->take({kSteps, kSeats, own_.data(), goal_.data(), identity_.data(), action_.data(), acts});
    std::vector<float> value(kSteps * kSeats, NAN);
    update_->judge(value.data());
    for (std::size_t row = 0; row < value.size(); ++row) CHECK((value[row] != 0.0F) == acts[row]);
    for (const bool first : {true, false}) {
      const FollowerLossSums sums = update_->learn(settings, {advantage_.data(), targets_.data()}, first, 1.0);
      for (const double sum : {sums.policy, sums.critic, sums.entropy}) CHECK(std::isfinite(sum));
    }
    return gradient_;
  }

  /// Of the learned vector of a follower whom nobody has played.
  std::vector<float> of_absent(const std::vector<float>& gradient) const {
    if (w_.identity == nullptr) return {};
    const auto first = gradient.begin() + (w_.identity - parameters_.data()) +
                       static_cast<std::ptrdiff_t>((kPopulation - 1) * s_.hidden);
    return {first, first + static_cast<std::ptrdiff_t>(s_.hidden)};
  }

 private:
  std::vector<float> numbers(std::size_t count) {
    std::vector<float> made(count);
    for (float& number : made) number = static_cast<float>(random_.between(-1000, 1000)) / 1000.0F;
    return made;
  }
  const float* place(std::size_t count) {
    const float* first = parameters_.empty() ? nullptr : parameters_.data() + placed_;
    placed_ += count;
    return first;
  }
  Layer layer(std::size_t inputs, std::size_t outputs) {
    const float* weight = place(inputs * outputs);
    return {weight, place(outputs), inputs, outputs};
  }
  void lay_out(bool meta, bool embedded) {
    const std::size_t h = s_.hidden;
    if (embedded) w_.identity = place(kPopulation * h);
    w_.own = layer(s_.follower_features, h), w_.goal = layer(s_.goal_features, h), w_.joined = layer(2 * h, h);
    if (meta) w_.goal_logit = layer(h, 1);
    w_.logits = layer(h, meta ? 1 : s_.actions), w_.value = layer(h, 1);
  }

  ActingSizes s_;
  FollowerWeights w_;
  Random random_{5};
  std::size_t placed_ = 0;
  std::vector<float> parameters_, gradient_, own_, goal_, advantage_, targets_;
  std::vector<std::int64_t> identity_, action_;
  std::unique_ptr<FollowerUpdate> update_;
};

TEST_CASE("followers' gradient is the mean of those of their steps, however many there are") {
  const std::size_t rows = kSteps * kSeats;
  for (const bool meta : {false, true})
    for (const bool embedded : {false, true})
      for (const double explore : {0.0, 0.3}) {
        Followers followers(meta, embedded);
        const FollowerLossSettings settings{explore, 0.5, 0.05, 0.2};
        const auto acts = std::make_unique<bool[]>(rows);
        std::fill_n(acts.get(), rows, true);
        const std::vector<float> whole = followers.learn(settings, acts.get());
        CHECK(followers.learn(settings, acts.get()) == whole);  // nothing is left of an update
        for (const float number : followers.of_absent(whole)) CHECK(number == 0.0F);
        std::vector<float> mean(whole.size());
        for (std::size_t first = 0, count = 1; first < rows;
             first += count, count = std::min(3 * count, rows - first)) {
          for (std::size_t row = 0; row < rows; ++row) acts[row] = first <= row && row < first + count;
          const std::vector<float> part = followers.learn(settings, acts.get());
          for (std::size_t i = 0; i < mean.size(); ++i)
            mean[i] += part[i] * static_cast<float>(count) / static_cast<float>(rows);
        }
        for (std::size_t i = 0; i < mean.size(); ++i)
          CHECK(mean[i] == doctest::Approx(whole[i]).epsilon(1e-3).scale(0.1));
        std::fill_n(acts.get(), rows, false);
        for (const float number : followers.learn(settings, acts.get())) CHECK(number == 0.0F);
      }
}

}  // namespace
}  // namespace paymaster::test
