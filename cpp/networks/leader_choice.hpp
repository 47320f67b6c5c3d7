// The policy of a leader that learns, where its losses look at it. Few steps are decisions, and the policy is the
// widest module: its rows are only those that are. Local to the file that includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "networks/leader_losses.hpp"
#include "networks/leader_update.hpp"
#include "networks/learned_rows.hpp"
#include "networks/step_groups.hpp"

namespace paymaster {
namespace {

class LeaderChoice {
 public:
  LeaderChoice(const LeaderWeights& weights, const ActingSizes& sizes, const Gradients& gradients)
      : w_(weights),
        s_(sizes),
        code_layer_(weights.policy_code, gradients),
        goal_layer_(weights.policy_goal, gradients),
        out_layer_(weights.policy, gradients),
        bonus_layer_(weights.bonus, gradients),
        abstain_layer_(weights.abstain, gradients) {}

  std::vector<LearnedRows*> layers() {
    return {&code_layer_, &goal_layer_, &out_layer_, &bonus_layer_, &abstain_layer_};
  }

  /// Makes room for blocks of that many rows.
  void grow(std::size_t rows) {
    const std::size_t h = s_.hidden, g = s_.goals, columns = padded(rows);
    for (RowRoom* room : {&code_, &own_, &bonus_code_, &by_own_, &by_code_}) room->grow(rows, h);
    for (RowRoom* room : {&layer_, &by_layer_}) room->grow(rows * g, h);
    for (RowRoom* room : {&out_, &by_out_}) room->grow(rows * g, 1 + s_.bonuses);
    goal_.grow(rows * g, s_.goal_features), start_.resize(rows * g);
    for (auto* numbers : {&kind_, &by_kind_}) numbers->resize((g + 1) * columns);
    for (auto* numbers : {&bonus_, &by_bonus_}) numbers->resize(g * s_.bonuses * columns);
    for (auto* numbers : {&log_mu_, &by_log_mu_}) numbers->resize(s_.offers * columns);
  }

  /// log mu for those followers' steps of a block that the losses look at.
  void look(const StepBlock& block, const PlayedSteps& steps, const LossSettings& settings, ConstRows code) {
    choose(block, steps, settings);
    if (chosen_.empty()) return;
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
      copy_row(code[chosen_[i].in_block], code_.stride(), code_[i]);
      const float* goals = steps.goal + chosen_[i].row * s_.goals * s_.goal_features;
      for (std::size_t g = 0; g < s_.goals; ++g)
        copy_row(goals + g * s_.goal_features, s_.goal_features, goal_[i * s_.goals + g]);
    }
    logits();
    const std::size_t bonuses = w_.bonus ? 1 : s_.goals, kinds = s_.goals + (w_.abstain ? 1 : 0);
    fast_log_softmax(kind_.data(), kinds, columns_, columns_);
    for (std::size_t g = 0; g < bonuses; ++g) fast_log_softmax(bonus(g), s_.bonuses, columns_, columns_);
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
  void learn(const StepBlock& block, const PlayedSteps& steps, const LossSettings& settings, const LossTargets& targets,
             float share, LossSums& sums) {
    OfferLoss loss(s_, settings);
    const float entropy = -static_cast<float>(settings.entropy) * share;
    if (targets.policy != nullptr && chosen_.size() < block.rows())
      block.each([&](std::size_t row,
                     std::size_t) {  // where there was no choice, its ratio is 1
        if (!looked_at(steps, settings, row)) sums.policy -= double{targets.advantage[row]};
      });
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
      const std::size_t row = chosen_[i].row;
      const float* mu = log_mu_.data() + i * s_.offers;
      const float log_prob = loss.log_prob(mu, step(steps, row));
      const float* old = targets.policy == nullptr ? nullptr : targets.policy + row;
      const ChoiceLoss<float> choice = choice_loss(log_prob, targets.advantage[row], old, settings.clip);
      sums.policy += static_cast<double>(choice.loss);
      loss.weigh(choice.by_log_prob * share);
      if (!settings.entropy_of_decisions || fresh(steps, row)) sums.entropy += loss.entropy(mu, entropy);
      std::copy_n(loss.gradient(), s_.offers, by_log_mu_.data() + i * s_.offers);
    }
  }

  /// Adds the gradient of the code to that of a block.
  void back(Rows by_code) {
    if (chosen_.empty()) return;
    const std::size_t count = chosen_.size(), every = count * s_.goals, wide = own_.stride();
    back_to_logits();
    out_layer_.learn(by_out_, layer_, every);
    out_layer_.back(by_out_, by_layer_, every, WherePositive{layer_});
    goal_layer_.learn(by_layer_, goal_, every);
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t j = 0; j < wide; j += kWidth<float>) {
        Floats sum{};
        for (std::size_t g = 0; g < s_.goals; ++g) sum += load<Floats>(by_layer_[i * s_.goals + g] + j);
        store(sum, by_own_[i] + j);
      }
    if (w_.bonus) {
      for (std::size_t i = 0; i < count; ++i) to_row(by_bonus(0), s_.bonuses, i, by_out_[i]);
      bonus_layer_.learn(by_out_, bonus_code_, count);
      bonus_layer_.back(by_out_, by_code_, count, WherePositive{bonus_code_});
      for (std::size_t i = 0; i < count; ++i)
        map_row(wide, by_own_[i], []<class W>(W sum, W one) { return sum + one; }, by_own_[i], by_code_[i]);
    }
    code_layer_.learn(by_own_, code_, count);
    code_layer_.back(by_own_, by_code_, count);
    if (w_.abstain) {
      by_out_.clear();
      for (std::size_t i = 0; i < count; ++i) *by_out_[i] = by_kind_[s_.goals * columns_ + i];
      abstain_layer_.learn(by_out_, code_, count);
      abstain_layer_.add_back(by_out_, by_code_, count);
    }
    for (std::size_t i = 0; i < count; ++i) {
      float* by = by_code[chosen_[i].in_block];
      map_row(wide, by, []<class W>(W sum, W one) { return sum + one; }, by, by_code_[i]);
    }
  }

 private:
  struct Chosen {
    std::size_t row, in_block;
  };

  static bool fresh(const PlayedSteps& steps, std::size_t row) { return steps.new_offer[row] || steps.held[row] < 0; }
  static bool looked_at(const PlayedSteps& steps, const LossSettings& settings, std::size_t row) {
    return settings.dense || !settings.entropy_of_decisions || fresh(steps, row) || steps.explored[row];
  }
  static OfferLoss::Step step(const PlayedSteps& steps, std::size_t row) {
    return {steps.offer[row], steps.held[row], fresh(steps, row), steps.explored[row]};
  }

  void choose(const StepBlock& block, const PlayedSteps& steps, const LossSettings& settings) {
    chosen_.clear();
    block.each([&](std::size_t row, std::size_t i) {
      if (looked_at(steps, settings, row)) chosen_.push_back({row, i});
    });
    columns_ = padded(chosen_.size());
  }

  float* bonus(std::size_t g) { return bonus_.data() + g * s_.bonuses * columns_; }
  float* by_bonus(std::size_t g) { return by_bonus_.data() + g * s_.bonuses * columns_; }

  /// The i-th column of some rows that lie one below the other, side by side; and back.
  void to_row(const float* columns, std::size_t count, std::size_t i, float* row) const {
    for (std::size_t k = 0; k < count; ++k) row[k] = columns[k * columns_ + i];
  }
  void to_column(const float* row, std::size_t count, std::size_t i, float* columns) const {
    for (std::size_t k = 0; k < count; ++k) columns[k * columns_ + i] = row[k];
  }

  void logits() {
    const std::size_t count = chosen_.size(), every = count * s_.goals, wide = own_.stride();
    code_layer_.apply(code_, own_, count);
    for (std::size_t i = 0; i < every; ++i) start_[i] = own_[i / s_.goals];
    goal_layer_.apply(start_.data(), goal_, layer_, every, Rectified{});
    out_layer_.apply(layer_, out_, every);
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t g = 0; g < s_.goals; ++g) {
        const float* said = out_[i * s_.goals + g];
        kind_[g * columns_ + i] = *said;
        if (!w_.bonus) to_column(said + 1, s_.bonuses, i, bonus(g));
      }
    if (w_.abstain) {
      abstain_layer_.apply(code_, out_, count);
      for (std::size_t i = 0; i < count; ++i) kind_[s_.goals * columns_ + i] = *out_[i];
    }
    if (w_.bonus) {
      for (std::size_t i = 0; i < count; ++i)
        map_row(wide, bonus_code_[i], []<class W>(W x) { return rectified(x); }, own_[i]);
      bonus_layer_.apply(bonus_code_, out_, count);
      for (std::size_t i = 0; i < count; ++i) to_column(out_[i], s_.bonuses, i, bonus(0));
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
    by_out_.clear();
    for (std::size_t i = 0; i < chosen_.size(); ++i)
      for (std::size_t g = 0; g < s_.goals; ++g) {
        float* by = by_out_[i * s_.goals + g];
        *by = by_kind_[g * columns_ + i];
        if (!w_.bonus) to_row(by_bonus(g), s_.bonuses, i, by + 1);
      }
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

  const LeaderWeights& w_;
  const ActingSizes& s_;
  std::size_t columns_ = 0;  // as many as were chosen, rounded up
  std::vector<Chosen> chosen_;
  LearnedRows code_layer_, goal_layer_, out_layer_, bonus_layer_, abstain_layer_;
  RowRoom code_, own_, bonus_code_, by_own_, by_code_;  // [chosen, .]
  RowRoom goal_, layer_, by_layer_, out_, by_out_;      // [chosen G, .]
  std::vector<const float*> start_;
  std::vector<float> kind_, bonus_, by_kind_, by_bonus_;  // [., columns]
  std::vector<float> log_mu_, by_log_mu_;                 // [chosen, O]
};

}  // namespace
}  // namespace paymaster
