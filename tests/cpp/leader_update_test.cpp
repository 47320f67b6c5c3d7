// A leader that learns: what must hold of its gradient whatever the weights, with arrays of just their size.
// tests/python/test_core_update.py compares the numbers with torch's.
#include "networks/leader_update.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "support/random.hpp"

namespace paymaster::test {
namespace {

struct Kind {
  bool predicts, scores, ends, sequential, abstains;
};

/// Games of a few steps each, all of the same length, so that any of them are a batch.
constexpr std::size_t kSteps = 4, kGames = 23, kFollowers = 3;

/// A leader of odd sizes, so that nothing fits into registers.
class Leader {
 public:
  explicit Leader(const Kind& kind) : kind_(kind) {
    s_.goals = 3, s_.bonuses = 2, s_.follower_features = 7, s_.goal_features = 21, s_.hidden = 9;
    s_.actions = kind.predicts ? 5 : 0;
    s_.offers = s_.goals * s_.bonuses + (kind.abstains ? 1 : 0);
    lay_out();  // to count,
    parameters_ = numbers(placed_);
    placed_ = 0;
    lay_out();  // and to place
    gradient_.resize(parameters_.size());
    update_ = make_leader_update(w_, s_, parameters_.data(), gradient_.data(), parameters_.size());
    for (std::size_t game = 0; game < kGames; ++game) games_.push_back(game_of());
  }

  /// Of a batch of some games: the gradient of a first or a later step.
  std::vector<float> learn(const LossSettings& settings, std::size_t first, std::size_t count, bool later) {
    Batch batch;
    const std::vector<std::int64_t> sizes(kSteps, static_cast<std::int64_t>(count));
    const std::size_t rows = kSteps * count * kFollowers;
    const auto explored = std::make_unique<bool[]>(rows), new_offer = std::make_unique<bool[]>(rows);
    for (std::size_t t = 0, row = 0; t < kSteps; ++t)
      for (std::size_t game = first; game < first + count; ++game)
        for (std::size_t n = 0; n < kFollowers; ++n, ++row) {
          const Step& step = games_[game][t * kFollowers + n];
          new_offer[row] = step.new_offer, explored[row] = step.explored;
          batch.take(step);
        }
    const PlayedSteps steps{sizes.data(),        kSteps,
                            kFollowers,          batch.follower.data(),
                            batch.goal.data(),   batch.previous.data(),
                            batch.offer.data(),  batch.held.data(),
                            batch.action.data(), new_offer.get(),
                            explored.get()};
    update_->encode(steps);
    std::vector<float> phi(rows * w_.value.outputs), policy(rows), termination(kind_.ends ? rows : 0);
    update_->judge(steps, settings, {phi.data(), policy.data(), termination.data()});
    const LossTargets targets{batch.advantage.data(), batch.targets.data(), later ? policy.data() : nullptr,
                              later && kind_.ends ? termination.data() : nullptr};
    const LossSums sums = update_->learn(steps, settings, targets, 1.0);
    for (const double sum : {sums.policy, sums.critic, sums.entropy, sums.imitation, sums.termination, sums.penalty})
      CHECK(std::isfinite(sum));
    CHECK((sums.imitation > 0.0) == kind_.predicts);
    CHECK((sums.penalty > 0.0) == kind_.ends);
    return gradient_;
  }

 private:
  struct Step {
    std::vector<float> follower, goal, targets;
    float advantage;
    std::int64_t previous, held, offer, action;
    bool new_offer, explored;
  };
  struct Batch {
    std::vector<float> follower, goal, targets, advantage;
    std::vector<std::int64_t> previous, held, offer, action;

    void take(const Step& step) {
      const auto add = [](std::vector<float>& to, const std::vector<float>& from) {
        to.insert(to.end(), from.begin(), from.end());
      };
      add(follower, step.follower), add(goal, step.goal), add(targets, step.targets);
      advantage.push_back(step.advantage), previous.push_back(step.previous), held.push_back(step.held);
      offer.push_back(step.offer), action.push_back(step.action);
    }
  };

  std::vector<float> numbers(std::size_t count) {
    std::vector<float> made(count);
    for (float& number : made) number = static_cast<float>(random_.between(-1000, 1000)) / 1000.0F;
    return made;
  }

  std::vector<Step> game_of() {
    std::vector<Step> game;
    const int offers = static_cast<int>(s_.offers);
    for (std::size_t row = 0; row < kSteps * kFollowers; ++row) {
      Step step;
      step.follower = numbers(s_.follower_features), step.goal = numbers(s_.goals * s_.goal_features);
      step.targets = numbers(w_.value.outputs), step.advantage = numbers(1)[0];
      step.previous = random_.between(-1, offers - 1);
      step.held = random_.chance(30) ? -1 : step.previous;
      step.new_offer = random_.chance(50), step.explored = random_.chance(20);
      step.offer = step.new_offer ? (step.held + 1) % offers : random_.between(0, offers - 1);
      step.action = random_.between(0, 4);
      game.push_back(step);
    }
    return game;
  }

  const float* place(std::size_t count) {
    const float* first = parameters_.empty() ? nullptr : parameters_.data() + placed_;
    placed_ += count;
    return first;
  }
  Layer layer(std::size_t outputs, std::size_t inputs, bool bias = true) {
    const float* weight = place(outputs * inputs);
    return {weight, bias ? place(outputs) : nullptr, inputs, outputs};
  }
  void lay_out() {
    const std::size_t h = s_.hidden, d = s_.goal_features, table = (s_.offers + 1) * h;
    w_.encode_goal = layer((h + 1) / 2, d), w_.encode_pooled = layer(h, (h + 1) / 2, false);
    w_.encode_own = layer(h, s_.follower_features + d);
    w_.history_offer = place(table), w_.history_input = layer(3 * h, h), w_.history_state = layer(3 * h, h);
    if (kind_.predicts) {
      w_.predict_hidden = layer(h, 2 * h), w_.predict = layer(s_.actions, h);
      w_.blend_predicted = layer(h, s_.actions, false);
    }
    w_.blend_encoded = layer(h, 2 * h);
    if (kind_.scores) w_.score = layer(1, h, false);
    w_.attend_own = layer(h, h), w_.attend_others = layer(h, h, false);
    if (kind_.ends) w_.end_code = layer(h, h), w_.end_offer = place(table), w_.end = layer(1, h);
    w_.policy_code = layer(h, h), w_.policy_goal = layer(h, d, false);
    if (!kind_.sequential) w_.bonus = layer(s_.bonuses, h);
    w_.policy = layer(kind_.sequential ? 1 + s_.bonuses : 1, h);
    if (kind_.abstains) w_.abstain = layer(1, h);
    w_.value_code = layer(h, h), w_.value_offer = place(table), w_.value = layer(s_.goals + s_.bonuses, h);
  }

  const Kind kind_;
  ActingSizes s_;
  LeaderWeights w_;
  Random random_{5};
  std::size_t placed_ = 0;
  std::vector<float> parameters_, gradient_;
  std::vector<std::vector<Step>> games_;
  std::unique_ptr<LeaderUpdate> update_;
};

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0.0, size = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2.0);
    size += std::pow(static_cast<double>(a[i]), 2.0);
  }
  return std::sqrt(sum / size);
}

TEST_CASE("the gradient of a batch is the mean of those of its games, however many there are") {
  LossSettings sparse;
  sparse.entropy_of_decisions = true;
  sparse.critic = 0.5, sparse.entropy = 0.05, sparse.imitation = 1.0, sparse.penalty = 0.1, sparse.clip = 0.2;
  LossSettings dense = sparse;
  dense.dense = true, dense.entropy_of_decisions = false, dense.explore = 0.3;
  LossSettings everywhere = sparse;
  everywhere.entropy_of_decisions = false;
  const Kind kinds[] = {{true, true, true, true, false},
                        {false, true, true, true, true},
                        {true, false, true, false, true},
                        {true, true, false, true, false},
                        {false, false, false, false, false}};
  for (const Kind& kind : kinds)
    for (const LossSettings& settings : {sparse, dense, everywhere})
      for (const bool later : {false, true}) {
        Leader leader(kind);
        const std::vector<float> whole = leader.learn(settings, 0, kGames, later);
        CHECK(leader.learn(settings, 0, kGames, later) == whole);  // nothing is left of a batch
        std::vector<float> mean(whole.size());
        for (std::size_t first = 0, count = 1; first < kGames;
             first += count, count = std::min(3 * count, kGames - first)) {
          const std::vector<float> part = leader.learn(settings, first, count, later);
          for (std::size_t i = 0; i < mean.size(); ++i)
            mean[i] += part[i] * static_cast<float>(count) / static_cast<float>(kGames);
        }
        CHECK(distance(whole, mean) < 1e-4);
      }
}

}  // namespace
}  // namespace paymaster::test
