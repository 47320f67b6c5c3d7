// What a leader that learns computes of a step's state and history, and its losses: a module of paymaster/networks/ is a
// pair of functions, forward and back. Local to the file that includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "networks/leader_choice.hpp"
#include "networks/leader_losses.hpp"
#include "networks/leader_update.hpp"
#include "networks/learned.hpp"

namespace paymaster {
namespace {

class LeaderHeads {
 public:
  LeaderHeads(const LeaderWeights& weights, const ActingSizes& sizes, const Gradients& gradients)
      : w_(weights), s_(sizes), gradients_(gradients), columns_(sizes.followers * kGames) {}

  /// The weights, which have changed.
  void read() {
    for (Learned* layer : layers()) layer->read();
  }
  /// Hands over the gradients of the weights.
  void finish() {
    for (Learned* layer : layers()) layer->finish();
  }

  /// All modules for the steps of a panel.
  void look(const Games& games, const PlayedSteps& steps, const LossSettings& settings, const float* state,
            const float* history) {
    std::copy_n(state, numbers_, encoded_.all());
    take(games, history, s_.hidden, encoded_[s_.hidden]);
    if (predict_) {
      predict_hidden_.apply(encoded_.all(), foreseen_code_.all(), columns_);
      rectify(foreseen_code_.all(), numbers_);
      predict_.apply(foreseen_code_.all(), action_logits_.all(), columns_);
      std::copy_n(action_logits_.all(), s_.actions * columns_, predicted_.all());
      softmax(predicted_.all(), s_.actions, columns_, columns_);
    }
    attend();
    if (end_) read_offer(end_code_, w_.end_offer, end_, games, steps, ended_.all(), end_logit_.all());
    read_offer(value_code_, w_.value_offer, value_, games, steps, valued_.all(), phi_.all());
    choice_.look(games, steps, settings, code_.all());
  }

  /// What the first gradient step starts from.
  void judge(const Games& games, const PlayedSteps& steps, const LossSettings& settings, const Judgement& out,
             LossSums& sums) {
    give(games, phi_.all(), value_.outputs(), out.phi);
    games.each([&](std::size_t row, std::size_t column) {
      out.policy[row] = 0.0F;
      if (predict_) {
        std::size_t likeliest = 0;
        for (std::size_t a = 1; a < s_.actions; ++a)
          if (action_logits_[a][column] > action_logits_[likeliest][column]) likeliest = a;
        sums.predicted += static_cast<std::int64_t>(likeliest) == steps.follower_action[row] ? 1.0 : 0.0;
      }
      if (!end_) return;
      const float logit = end_logit_.all()[column];
      out.termination[row] = steps.held[row] < 0 ? 0.0F : log_sigmoid(steps.new_offer[row] ? logit : -logit);
      if (steps.previous[row] >= 0) sums.beta += static_cast<double>(1.0F / (1.0F + std::exp(-logit)));
    });
    choice_.judge(steps, settings, out.policy);
  }

  /// The losses, and their gradients by what the modules say, times `share`.
  void learn(const Games& games, const PlayedSteps& steps, const LossSettings& settings, const LossTargets& targets,
             float share, LossSums& sums) {
    for (Panel* panel : {&by_action_, &by_end_, &by_phi_}) panel->clear();
    const auto critic = static_cast<float>(settings.critic) * share;
    const auto imitation = static_cast<float>(settings.imitation) * share;
    games.each([&](std::size_t row, std::size_t column) {
      const std::size_t heads = value_.outputs();
      for (std::size_t i = 0; i < heads; ++i) {
        const float off = phi_[i][column] - targets.targets[row * heads + i];
        sums.critic += 0.5 * static_cast<double>(off * off);
        by_phi_[i][column] = critic * off;
      }
      if (predict_) {
        const auto action = static_cast<std::size_t>(steps.follower_action[row]);
        sums.imitation -= std::log(static_cast<double>(predicted_[action][column]));
        for (std::size_t a = 0; a < s_.actions; ++a) by_action_[a][column] = imitation * predicted_[a][column];
        by_action_[action][column] -= imitation;
      }
      if (end_ && steps.held[row] >= 0) end_loss(row, column, steps, settings, targets, share, sums);
      else if (end_) sums.termination -= targets.termination == nullptr ? 0.0 : double{targets.advantage[row]};
    });
    choice_.learn(games, steps, settings, targets, share, sums);
  }

  /// The gradients of the weights, of the state (a panel) and of the history [R N, H], given those of learn().
  void back(const Games& games, const PlayedSteps& steps, float* by_state, float* by_history) {
    by_code_.clear(), by_encoded_.clear();
    turn(code_.all(), s_.hidden, columns_, turned_code_.all());
    choice_.back(by_code_.all());
    if (end_) read_offer_back(end_code_, w_.end_offer, end_, games, steps, ended_.all(), by_end_.all());
    read_offer_back(value_code_, w_.value_offer, value_, games, steps, valued_.all(), by_phi_.all());
    turn(encoded_.all(), 2 * s_.hidden, columns_, turned_encoded_.all());
    attend_back();
    if (predict_) {
      turn(foreseen_code_.all(), s_.hidden, columns_, turned_.all());
      predict_.learn(by_action_.all(), turned_.all(), columns_);
      by_layer_.clear();
      predict_.back(by_action_.all(), by_layer_.all(), columns_);
      rectify_back(foreseen_code_.all(), by_layer_.all(), numbers_);
      predict_hidden_.learn(by_layer_.all(), turned_encoded_.all(), columns_);
      predict_hidden_.back(by_layer_.all(), by_encoded_.all(), columns_);
    }
    std::copy_n(by_encoded_.all(), numbers_, by_state);
    give(games, by_encoded_[s_.hidden], s_.hidden, by_history);
  }

 private:
  Panel panel(std::size_t rows) const { return Panel(rows, columns_); }
  Panel turned_panel(std::size_t rows) const { return Panel(padded(rows), columns_); }

  std::vector<Learned*> layers() {
    std::vector<Learned*> all{&predict_hidden_, &predict_,  &blend_encoded_, &blend_predicted_, &score_, &own_,
                              &others_,         &end_code_, &end_,           &value_code_,      &value_};
    for (Learned* layer : choice_.layers()) all.push_back(layer);
    return all;
  }

  /// c, out of a follower's own x and of all followers', weighed.
  void attend() {
    float *x = x_.all(), *weight = weight_.all();
    blend_encoded_.apply(encoded_.all(), x, columns_);
    if (blend_predicted_) blend_predicted_.add(predicted_.all(), x, columns_);
    rectify(x, numbers_);
    if (score_) {
      score_.apply(x, weight, columns_);
      softmax(weight, s_.followers, kGames, kGames);
    } else {
      std::fill_n(weight, columns_, 1.0F / static_cast<float>(s_.followers));
    }
    summary_.clear();
    each_follower([&](std::size_t j, std::size_t n) {
      map(
          kGames, summary_[j], []<class W>(W total, W value, W share) { return total + value * share; }, summary_[j],
          x_[j] + n, weight + n);
    });
    others_.apply(summary_.all(), from_others_.all(), kGames);
    own_.apply(x, code_.all(), columns_);
    each_follower([&](std::size_t j, std::size_t n) {
      map(
          kGames, code_[j] + n, []<class W>(W own, W others) { return hyperbolic(own + others); }, code_[j] + n,
          from_others_[j]);
    });
  }

  void attend_back() {
    float* by = by_code_.all();
    map(numbers_, by, []<class W>(W gradient, W code) { return gradient * (1 - code * code); }, by, code_.all());
    turn(x_.all(), s_.hidden, columns_, turned_.all());
    own_.learn(by, turned_.all(), columns_);
    by_layer_.clear(), by_others_.clear(), by_summary_.clear(), by_weight_.clear();
    own_.back(by, by_layer_.all(), columns_);
    each_follower([&](std::size_t j, std::size_t n) {
      map(kGames, by_others_[j], []<class W>(W sum, W one) { return sum + one; }, by_others_[j], by_code_[j] + n);
    });
    turn(summary_.all(), s_.hidden, kGames, turned_summary_.all());
    others_.learn(by_others_.all(), turned_summary_.all(), kGames);
    others_.back(by_others_.all(), by_summary_.all(), kGames);
    float *weight = weight_.all(), *by_weight = by_weight_.all();
    each_follower([&](std::size_t j, std::size_t n) {
      map(
          kGames, by_layer_[j] + n, []<class W>(W sum, W share, W one) { return sum + share * one; }, by_layer_[j] + n,
          weight + n, by_summary_[j]);
      map(
          kGames, by_weight + n, []<class W>(W sum, W x, W one) { return sum + x * one; }, by_weight + n, x_[j] + n,
          by_summary_[j]);
    });
    if (score_) {
      softmax_back();
      score_.learn(by_weight, turned_.all(), columns_);
      score_.back(by_weight, by_layer_.all(), columns_);
    }
    rectify_back(x_.all(), by_layer_.all(), numbers_);
    blend_encoded_.learn(by_layer_.all(), turned_encoded_.all(), columns_);
    blend_encoded_.back(by_layer_.all(), by_encoded_.all(), columns_);
    if (blend_predicted_) {
      turn(predicted_.all(), s_.actions, columns_, turned_.all());
      blend_predicted_.learn(by_layer_.all(), turned_.all(), columns_);
    }
  }

  /// Of the weights, in place.
  void softmax_back() {
    float *weight = weight_.all(), *by = by_weight_.all();
    across<float>(kGames, [&]<class W>(W, std::size_t i) {
      W mean{};
      for (std::size_t n = 0; n < columns_; n += kGames) mean += load<W>(weight + n + i) * load<W>(by + n + i);
      for (std::size_t n = 0; n < columns_; n += kGames)
        store(W(load<W>(weight + n + i) * (load<W>(by + n + i) - mean)), by + n + i);
    });
  }

  /// body(row, first column of a follower)
  template <class Body>
  void each_follower(Body&& body) const {
    for (std::size_t j = 0; j < s_.hidden; ++j)
      for (std::size_t n = 0; n < columns_; n += kGames) body(j, n);
  }

  /// What is said of the code and the offer that is held: the logit of beta, and phi.
  void read_offer(const Learned& code, const float* offer, const Learned& out, const Games& games,
                  const PlayedSteps& steps, float* layer, float* said) const {
    code.apply(code_.all(), layer, columns_);
    add_rows_of(offer, s_.hidden, games, steps.previous, 1, layer);
    rectify(layer, numbers_);
    out.apply(layer, said, columns_);
  }

  void read_offer_back(Learned& code, const float* offer, Learned& out, const Games& games, const PlayedSteps& steps,
                       const float* layer, const float* by_said) {
    turn(layer, s_.hidden, columns_, turned_.all());
    out.learn(by_said, turned_.all(), columns_);
    by_layer_.clear();
    out.back(by_said, by_layer_.all(), columns_);
    rectify_back(layer, by_layer_.all(), numbers_);
    add_columns_to(gradients_.of(offer), s_.hidden, games, steps.previous, 1, by_layer_.all());
    code.learn(by_layer_.all(), turned_code_.all(), columns_);
    code.back(by_layer_.all(), by_code_.all(), columns_);
  }

  void end_loss(std::size_t row, std::size_t column, const PlayedSteps& steps, const LossSettings& settings,
                const LossTargets& targets, float share, LossSums& sums) {
    const float logit = end_logit_.all()[column], beta = 1.0F / (1.0F + std::exp(-logit));
    const float log_prob = log_sigmoid(steps.new_offer[row] ? logit : -logit);
    const float* old = targets.termination == nullptr ? nullptr : targets.termination + row;
    const ChoiceLoss choice = choice_loss(log_prob, targets.advantage[row], old, settings.clip);
    sums.termination += choice.loss;
    sums.penalty += static_cast<double>(beta * beta);
    const auto penalty = static_cast<float>(settings.penalty);
    by_end_.all()[column] = share * (choice.by_log_prob * (steps.new_offer[row] ? 1.0F - beta : -beta) +
                                     penalty * 2.0F * beta * beta * (1.0F - beta));
  }

  const LeaderWeights& w_;
  const ActingSizes s_;
  const Gradients& gradients_;
  const std::size_t columns_, numbers_ = s_.hidden * columns_;
  Learned predict_hidden_{w_.predict_hidden, gradients_}, predict_{w_.predict, gradients_};
  Learned blend_encoded_{w_.blend_encoded, gradients_}, blend_predicted_{w_.blend_predicted, gradients_};
  Learned score_{w_.score, gradients_}, own_{w_.attend_own, gradients_}, others_{w_.attend_others, gradients_};
  Learned end_code_{w_.end_code, gradients_}, end_{w_.end, gradients_};
  Learned value_code_{w_.value_code, gradients_}, value_{w_.value, gradients_};
  LeaderChoice choice_{w_, s_, gradients_};
  Panel encoded_ = panel(2 * s_.hidden), foreseen_code_ = panel(s_.hidden);
  Panel action_logits_ = panel(s_.actions), predicted_ = panel(s_.actions);
  Panel x_ = panel(s_.hidden), weight_ = panel(1), code_ = panel(s_.hidden);
  Panel summary_{s_.hidden, kGames}, from_others_{s_.hidden, kGames};
  Panel ended_ = panel(s_.hidden), end_logit_ = panel(1), valued_ = panel(s_.hidden), phi_ = panel(w_.value.outputs);
  Panel by_encoded_ = panel(2 * s_.hidden), by_code_ = panel(s_.hidden), by_layer_ = panel(s_.hidden);
  Panel by_action_ = panel(s_.actions), by_end_ = panel(1), by_phi_ = panel(w_.value.outputs), by_weight_ = panel(1);
  Panel by_others_{s_.hidden, kGames}, by_summary_{s_.hidden, kGames};
  Panel turned_ = turned_panel(std::max(s_.hidden, s_.actions)), turned_code_ = turned_panel(s_.hidden);
  Panel turned_encoded_ = turned_panel(2 * s_.hidden), turned_summary_{padded(s_.hidden), kGames};
};

}  // namespace
}  // namespace paymaster
