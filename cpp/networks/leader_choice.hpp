// The policy of a leader that learns, where its losses look at it. Few steps are decisions, and the policy is the widest
// module: its panel has only the columns of those that are. Local to the file that includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "networks/leader_losses.hpp"
#include "networks/leader_update.hpp"
#include "networks/learned.hpp"

namespace paymaster {
namespace {

class LeaderChoice {
 public:
  LeaderChoice(const LeaderWeights& weights, const ActingSizes& sizes, const Gradients& gradients)
      : w_(weights),
        s_(sizes),
        most_(sizes.followers * kGames),
        code_layer_(weights.policy_code, gradients),
        goal_layer_(weights.policy_goal, gradients),
        out_layer_(weights.policy, gradients),
        bonus_layer_(weights.bonus, gradients),
        abstain_layer_(weights.abstain, gradients) {}

  std::vector<Learned*> layers() { return {&code_layer_, &goal_layer_, &out_layer_, &bonus_layer_, &abstain_layer_}; }

  /// log mu for those followers' steps of a panel that the losses look at.
  void look(const Games& games, const PlayedSteps& steps, const LossSettings& settings, const float* code) {
    choose(games, steps, settings);
    if (chosen_.empty()) return;
    for (std::size_t j = 0; j < s_.hidden; ++j)
      for (std::size_t i = 0; i < columns_; ++i)
        code_[j * columns_ + i] = i < chosen_.size() ? code[j * most_ + chosen_[i].column] : 0.0F;
    const std::size_t every = s_.goals * s_.goal_features;
    for (std::size_t j = 0; j < every; ++j)
      for (std::size_t i = 0; i < columns_; ++i)
        goal_[j * columns_ + i] = i < chosen_.size() ? steps.goal[chosen_[i].row * every + j] : 0.0F;
    logits();
    const std::size_t bonuses = w_.bonus ? 1 : s_.goals, kinds = s_.goals + (w_.abstain ? 1 : 0);
    log_softmax(kind_.data(), kinds, columns_, columns_);
    for (std::size_t g = 0; g < bonuses; ++g) log_softmax(bonus(g), s_.bonuses, columns_, columns_);
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
      float* mu = log_mu_.data() + i * s_.offers;
      for (std::size_t g = 0; g < s_.goals; ++g)
        for (std::size_t k = 0; k < s_.bonuses; ++k)
          *mu++ = kind_[g * columns_ + i] + bonus(w_.bonus ? 0 : g)[k * columns_ + i];
      if (w_.abstain) *mu = kind_[s_.goals * columns_ + i];
    }
  }

  /// Log-probabilities of the offers, where there was a choice.
  void judge(const PlayedSteps& steps, const LossSettings& settings, float* policy) {
    OfferLoss loss(s_, settings);
    for (std::size_t i = 0; i < chosen_.size(); ++i)
      policy[chosen_[i].row] = loss.log_prob(log_mu_.data() + i * s_.offers, step(steps, chosen_[i].row));
  }

  /// The losses, and their gradients by log mu.
  void learn(const Games& games, const PlayedSteps& steps, const LossSettings& settings, const LossTargets& targets,
             float share, LossSums& sums) {
    OfferLoss loss(s_, settings);
    const float entropy = -static_cast<float>(settings.entropy) * share;
    if (targets.policy != nullptr && chosen_.size() < games.count * games.followers)
      games.each([&](std::size_t row, std::size_t) {  // where there was no choice, its ratio is 1
        if (!looked_at(steps, settings, row)) sums.policy -= double{targets.advantage[row]};
      });
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
      const std::size_t row = chosen_[i].row;
      const float* mu = log_mu_.data() + i * s_.offers;
      const float log_prob = loss.log_prob(mu, step(steps, row));
      const float* old = targets.policy == nullptr ? nullptr : targets.policy + row;
      const ChoiceLoss choice = choice_loss(log_prob, targets.advantage[row], old, settings.clip);
      sums.policy += choice.loss;
      loss.weigh(choice.by_log_prob * share);
      if (!settings.entropy_of_decisions || fresh(steps, row)) sums.entropy += loss.entropy(mu, entropy);
      std::copy_n(loss.gradient(), s_.offers, by_log_mu_.data() + i * s_.offers);
    }
  }

  /// Adds the gradient of the code to a panel of all columns.
  void back(float* by_code) {
    if (chosen_.empty()) return;
    const std::size_t numbers = s_.hidden * columns_, d = s_.goal_features, wide = out_layer_.outputs();
    back_to_logits();
    turn(code_.data(), s_.hidden, columns_, turned_code_.data());
    std::fill_n(by_own_.data(), numbers, 0.0F);
    for (std::size_t g = 0; g < s_.goals; ++g) {
      if (!w_.bonus) std::copy_n(by_bonus(g), s_.bonuses * columns_, by_out_.data() + columns_);
      std::copy_n(by_kind_.data() + g * columns_, columns_, by_out_.data());
      const float* layer = layer_.data() + g * numbers;
      turn(layer, s_.hidden, columns_, turned_.data());
      out_layer_.learn(by_out_.data(), turned_.data(), columns_);
      std::fill_n(by_layer_.data(), numbers, 0.0F);
      add_product(out_layer_.turned(), by_out_.data(), by_layer_.data(), s_.hidden, wide, columns_);
      rectify_back(layer, by_layer_.data(), numbers);
      turn(goal_.data() + g * d * columns_, d, columns_, turned_.data());
      goal_layer_.learn(by_layer_.data(), turned_.data(), columns_);
      map(numbers, by_own_.data(), []<class W>(W sum, W one) { return sum + one; }, by_own_.data(), by_layer_.data());
    }
    if (w_.bonus) {
      std::copy_n(own_.data(), numbers, layer_.data());
      rectify(layer_.data(), numbers);
      turn(layer_.data(), s_.hidden, columns_, turned_.data());
      bonus_layer_.learn(by_bonus(0), turned_.data(), columns_);
      std::fill_n(by_layer_.data(), numbers, 0.0F);
      bonus_layer_.back(by_bonus(0), by_layer_.data(), columns_);
      rectify_back(layer_.data(), by_layer_.data(), numbers);
      map(numbers, by_own_.data(), []<class W>(W sum, W one) { return sum + one; }, by_own_.data(), by_layer_.data());
    }
    std::fill_n(by_layer_.data(), numbers, 0.0F);
    if (w_.abstain) {
      const float* by_none = by_kind_.data() + s_.goals * columns_;
      abstain_layer_.learn(by_none, turned_code_.data(), columns_);
      abstain_layer_.back(by_none, by_layer_.data(), columns_);
    }
    code_layer_.learn(by_own_.data(), turned_code_.data(), columns_);
    code_layer_.back(by_own_.data(), by_layer_.data(), columns_);
    for (std::size_t j = 0; j < s_.hidden; ++j)
      for (std::size_t i = 0; i < chosen_.size(); ++i)
        by_code[j * most_ + chosen_[i].column] += by_layer_[j * columns_ + i];
  }

 private:
  struct Chosen {
    std::size_t row, column;
  };

  static bool fresh(const PlayedSteps& steps, std::size_t row) { return steps.new_offer[row] || steps.held[row] < 0; }
  static bool looked_at(const PlayedSteps& steps, const LossSettings& settings, std::size_t row) {
    return settings.dense || !settings.entropy_of_decisions || fresh(steps, row) || steps.explored[row];
  }
  static OfferLoss::Step step(const PlayedSteps& steps, std::size_t row) {
    return {steps.offer[row], steps.held[row], fresh(steps, row), steps.explored[row]};
  }

  void choose(const Games& games, const PlayedSteps& steps, const LossSettings& settings) {
    chosen_.clear();
    games.each([&](std::size_t row, std::size_t column) {
      if (looked_at(steps, settings, row)) chosen_.push_back({row, column});
    });
    columns_ = (chosen_.size() + kGames - 1) / kGames * kGames;
  }

  float* bonus(std::size_t g) { return bonus_.data() + g * s_.bonuses * columns_; }
  float* by_bonus(std::size_t g) { return by_bonus_.data() + g * s_.bonuses * columns_; }

  void logits() {
    const std::size_t numbers = s_.hidden * columns_;
    code_layer_.apply(code_.data(), own_.data(), columns_);
    for (std::size_t g = 0; g < s_.goals; ++g) {
      float* layer = layer_.data() + g * numbers;
      std::copy_n(own_.data(), numbers, layer);
      goal_layer_.add(goal_.data() + g * s_.goal_features * columns_, layer, columns_);
      rectify(layer, numbers);
      out_layer_.apply(layer, out_.data(), columns_);
      std::copy_n(out_.data(), columns_, kind_.data() + g * columns_);
      if (!w_.bonus) std::copy_n(out_.data() + columns_, s_.bonuses * columns_, bonus(g));
    }
    if (w_.abstain) abstain_layer_.apply(code_.data(), kind_.data() + s_.goals * columns_, columns_);
    if (w_.bonus) {
      std::copy_n(own_.data(), numbers, by_layer_.data());
      rectify(by_layer_.data(), numbers);
      bonus_layer_.apply(by_layer_.data(), bonus(0), columns_);
    }
  }

  /// From log mu's gradients to those of the logits.
  void back_to_logits() {
    const std::size_t kinds = s_.goals + (w_.abstain ? 1 : 0), bonuses = w_.bonus ? 1 : s_.goals;
    std::fill(by_kind_.begin(), by_kind_.end(), 0.0F);
    std::fill(by_bonus_.begin(), by_bonus_.end(), 0.0F);
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
      const float* by = by_log_mu_.data() + i * s_.offers;
      for (std::size_t g = 0; g < s_.goals; ++g)
        for (std::size_t k = 0; k < s_.bonuses; ++k, ++by) {
          by_kind_[g * columns_ + i] += *by;
          by_bonus(w_.bonus ? 0 : g)[k * columns_ + i] += *by;
        }
      if (w_.abstain) by_kind_[s_.goals * columns_ + i] = *by;
    }
    log_softmax_back(kind_.data(), by_kind_.data(), kinds);
    for (std::size_t g = 0; g < bonuses; ++g) log_softmax_back(bonus(g), by_bonus(g), s_.bonuses);
  }

  /// In place; `log` is what log_softmax() has made.
  void log_softmax_back(const float* log, float* by, std::size_t count) const {
    across<float>(columns_, [&]<class W>(W, std::size_t j) {
      W sum{};
      for (std::size_t i = 0; i < count; ++i) sum += load<W>(by + i * columns_ + j);
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = i * columns_ + j;
        store(W(load<W>(by + at) - exponential(load<W>(log + at)) * sum), by + at);
      }
    });
  }

  std::vector<float> room(std::size_t rows) const { return std::vector<float>(rows * most_); }

  const LeaderWeights& w_;
  const ActingSizes& s_;
  const std::size_t most_;   // columns of a whole panel
  std::size_t columns_ = 0;  // of this one: as many as were chosen, rounded up
  std::vector<Chosen> chosen_;
  Learned code_layer_, goal_layer_, out_layer_, bonus_layer_, abstain_layer_;
  std::vector<float> code_ = room(s_.hidden), own_ = room(s_.hidden), goal_ = room(s_.goals * s_.goal_features);
  std::vector<float> layer_ = room(s_.goals * s_.hidden), out_ = room(1 + s_.bonuses);
  std::vector<float> kind_ = room(s_.goals + 1), bonus_ = room(s_.goals * s_.bonuses), log_mu_ = room(s_.offers);
  std::vector<float> by_log_mu_ = room(s_.offers), by_kind_ = room(s_.goals + 1);
  std::vector<float> by_bonus_ = room(s_.goals * s_.bonuses), by_out_ = room(1 + s_.bonuses);
  std::vector<float> by_own_ = room(s_.hidden), by_layer_ = room(s_.hidden), turned_code_ = room(padded(s_.hidden));
  std::vector<float> turned_ = room(padded(std::max(s_.hidden, s_.goal_features)));
};

}  // namespace
}  // namespace paymaster
