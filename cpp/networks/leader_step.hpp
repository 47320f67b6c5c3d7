// A leader's step for a few games at a time: a module of paymaster/networks/ is a phase. Local to the file that includes
// it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "networks/acting.hpp"
#include "networks/cell.hpp"
#include "networks/panel.hpp"

namespace paymaster {
namespace {

class LeaderStep {
 public:
  LeaderStep(const LeaderWeights& weights, const ActingSizes& sizes, const LeaderStepArrays& arrays, std::size_t width)
      : w_(weights), s_(sizes), a_(arrays), width_(width), columns_(sizes.followers * width) {}

  void play(const Games& games) {
    encode(games);
    remember(games);
    if (w_.predict) predict(games);
    attend(games);
    if (w_.end) terminate(games);
    choose(games);
  }

 private:
  Panel panel(std::size_t rows) const { return Panel(rows, columns_); }
  void apply(const Layer& layer, const float* x, float* y) const { paymaster::apply(layer, x, y, columns_); }
  void add(const Layer& layer, const float* x, float* y) const { paymaster::add(layer, x, y, columns_); }

  /// s: a follower, the goal type it was offered last, and the mean over all goal types; unshared, all side by side.
  void encode(const Games& games) {
    const std::size_t d = s_.goal_features;
    if (!w_.encode_goal) {
      take(games, a_.follower, s_.follower_features, own_.all());
      take(games, a_.goal, s_.goals * d, own_[s_.follower_features]);
      apply(w_.encode_own, own_.all(), state_and_history_.all());
      return rectify(state_and_history_.all(), numbers_);
    }
    take(games, a_.goal, s_.goals * d, goal_.all());
    take(games, a_.follower, s_.follower_features, own_.all());
    take_offered(games, s_, a_.goal, a_.previous, own_[s_.follower_features]);
    const std::size_t numbers = w_.encode_goal.outputs * columns_;
    const float share = 1.0F / static_cast<float>(s_.goals);
    std::fill_n(mean_.all(), numbers, 0.0F);
    for (std::size_t g = 0; g < s_.goals; ++g) {
      apply(w_.encode_goal, goal_[g * d], one_goal_.all());
      map(
          numbers, mean_.all(), [=]<class W>(W sum, W x) { return sum + share * rectified(x); }, mean_.all(),
          one_goal_.all());
    }
    float* state = state_and_history_.all();
    apply(w_.encode_own, own_.all(), state);
    add(w_.encode_pooled, mean_.all(), state);
    rectify(state, numbers_);
  }

  /// h: a step of the GRU, which sees the state and the last offer.
  void remember(const Games& games) {
    take(games, a_.history, s_.hidden, before_.all());
    std::copy_n(state_and_history_.all(), numbers_, seen_.all());
    add_rows_of(w_.history_offer, s_.hidden, games, a_.previous, 1, seen_.all());
    apply(w_.history_input, seen_.all(), given_.all());
    apply(w_.history_state, before_.all(), gates_.all());
    float* history = state_and_history_[s_.hidden];
    advance(given_.all(), before_.all(), numbers_, gates_.all(), layer_.all(), history);
    give(games, history, s_.hidden, a_.next_history);
  }

  /// a-hat: what each follower is going to do.
  void predict(const Games& games) {
    apply(w_.predict_hidden, state_and_history_.all(), layer_.all());
    rectify(layer_.all(), numbers_);
    apply(w_.predict, layer_.all(), predicted_.all());
    give(games, predicted_.all(), s_.actions, a_.prediction_logits);
    softmax(predicted_.all(), s_.actions, columns_, columns_);
  }

  /// c, out of a follower's own x and of all followers', weighed.
  void attend(const Games& games) {
    float* x = layer_.all();
    apply(w_.blend_encoded, state_and_history_.all(), x);
    if (w_.blend_predicted) add(w_.blend_predicted, predicted_.all(), x);
    rectify(x, numbers_);
    float* weight = weight_.all();
    if (w_.score) {
      apply(w_.score, x, weight);
      softmax(weight, s_.followers, width_, width_);
    } else {
      std::fill_n(weight, columns_, 1.0F / static_cast<float>(s_.followers));
    }
    give(games, weight, 1, a_.attention);
    for (std::size_t j = 0; j < s_.hidden; ++j) {
      float* sum = summary_[j];
      std::fill_n(sum, width_, 0.0F);
      for (std::size_t n = 0; n < columns_; n += width_)
        map(
            width_, sum, []<class W>(W total, W value, W share) { return total + value * share; }, sum,
            x + j * columns_ + n, weight + n);
    }
    paymaster::apply(w_.attend_others, summary_.all(), others_.all(), width_);
    apply(w_.attend_own, x, code_.all());
    for (std::size_t j = 0; j < s_.hidden; ++j)
      for (std::size_t n = 0; n < columns_; n += width_)
        map(
            width_, code_[j] + n, []<class W>(W own, W others) { return hyperbolic(own + others); }, code_[j] + n,
            others_[j]);
  }

  /// The logit of beta.
  void terminate(const Games& games) {
    apply(w_.end_code, code_.all(), layer_.all());
    add_rows_of(w_.end_offer, s_.hidden, games, a_.previous, 1, layer_.all());
    rectify(layer_.all(), numbers_);
    apply(w_.end, layer_.all(), weight_.all());
    give(games, weight_.all(), 1, a_.termination_logits);
  }

  /// log mu: the goal, then its bonus.
  void choose(const Games& games) {
    if (!w_.policy_goal) return choose_unshared(games);
    const std::size_t kinds = s_.goals + (w_.abstain ? 1 : 0), row_of_bonus = w_.bonus ? 0 : 1;
    apply(w_.policy_code, code_.all(), seen_.all());
    for (std::size_t g = 0; g < s_.goals; ++g) {
      std::copy_n(seen_.all(), numbers_, layer_.all());
      add(w_.policy_goal, goal_[g * s_.goal_features], layer_.all());
      rectify(layer_.all(), numbers_);
      apply(w_.policy, layer_.all(), logits_[g * w_.policy.outputs]);
      std::copy_n(logits_[g * w_.policy.outputs], columns_, kind_[g]);
    }
    if (w_.abstain) apply(w_.abstain, code_.all(), kind_[s_.goals]);
    log_softmax(kind_.all(), kinds, columns_, columns_);
    if (w_.bonus) {
      rectify(seen_.all(), numbers_);
      apply(w_.bonus, seen_.all(), logits_.all());
    }
    for (std::size_t g = 0; g < (w_.bonus ? 1 : s_.goals); ++g)
      log_softmax(logits_[g * w_.policy.outputs + row_of_bonus], s_.bonuses, columns_, columns_);
    games.each([&](std::size_t row, std::size_t column) {
      float* log_mu = a_.log_mu + row * s_.offers;
      for (std::size_t g = 0; g < s_.goals; ++g) {
        const std::size_t first = w_.bonus ? 0 : g * w_.policy.outputs + row_of_bonus;
        for (std::size_t k = 0; k < s_.bonuses; ++k) *log_mu++ = kind_[g][column] + logits_[first + k][column];
      }
      if (w_.abstain) *log_mu = kind_[s_.goals][column];
    });
  }

  /// The same with plain logits: of the goals, and of the bonuses, K of all goals together or of each.
  void choose_unshared(const Games& games) {
    const std::size_t kinds = w_.policy.outputs, k_of_all = w_.bonus.outputs, k_of_one = s_.bonuses;
    apply(w_.policy_code, code_.all(), layer_.all());
    rectify(layer_.all(), numbers_);
    apply(w_.policy, layer_.all(), kind_.all());
    log_softmax(kind_.all(), kinds, columns_, columns_);
    apply(w_.bonus, layer_.all(), logits_.all());
    for (std::size_t first = 0; first < k_of_all; first += k_of_one)
      log_softmax(logits_[first], k_of_one, columns_, columns_);
    games.each([&](std::size_t row, std::size_t column) {
      float* log_mu = a_.log_mu + row * s_.offers;
      for (std::size_t g = 0; g < s_.goals; ++g)
        for (std::size_t k = 0; k < k_of_one; ++k)
          *log_mu++ = kind_[g][column] + logits_[(g * k_of_one + k) % k_of_all][column];
      if (kinds > s_.goals) *log_mu = kind_[s_.goals][column];
    });
  }

  const LeaderWeights& w_;
  const ActingSizes& s_;
  const LeaderStepArrays& a_;
  const std::size_t width_, columns_, numbers_ = s_.hidden * columns_;
  Panel own_ = panel(w_.encode_own.inputs), goal_ = panel(s_.goals * s_.goal_features);
  Panel one_goal_ = panel(w_.encode_goal.outputs), mean_ = panel(w_.encode_goal.outputs);
  Panel state_and_history_ = panel(2 * s_.hidden), before_ = panel(s_.hidden), seen_ = panel(s_.hidden);
  Panel given_ = panel(3 * s_.hidden), gates_ = panel(3 * s_.hidden);
  Panel layer_ = panel(s_.hidden), code_ = panel(s_.hidden);
  Panel predicted_ = panel(s_.actions), weight_ = panel(1);
  Panel summary_{s_.hidden, width_}, others_{s_.hidden, width_};
  Panel kind_ = panel(s_.goals + 1), logits_ = panel(s_.goals * (s_.bonuses + 1));
};

}  // namespace
}  // namespace paymaster
