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
#include "networks/learned_rows.hpp"
#include "networks/offer_head.hpp"
#include "networks/step_groups.hpp"

namespace paymaster {
namespace {

class LeaderHeads {
 public:
  LeaderHeads(const LeaderWeights& weights, const ActingSizes& sizes, const Gradients& gradients)
      : w_(weights), s_(sizes), gradients_(gradients) {}

  /// Makes room for blocks of that many rows.
  void grow(std::size_t rows) {
    const std::size_t h = s_.hidden;
    for (RowRoom* room : {&foreseen_code_, &x_, &code_, &by_code_, &by_layer_, &by_x_}) room->grow(rows, h);
    for (RowRoom* room : {&summary_, &from_others_, &by_others_, &by_summary_}) room->grow(rows / s_.followers, h);
    for (RowRoom* room : {&action_logits_, &predicted_, &by_action_}) room->grow(rows, s_.actions);
    for (RowRoom* room : {&score_logit_, &weight_, &by_weight_}) room->grow(rows, 1);
    for (OfferHead* head : {&end_, &value_}) head->grow(rows, h);
    start_.resize(rows);
    by_column_.grow((s_.actions + 7) / 8 * 8, rows), column_.grow(8, rows);
    choice_.grow(rows);
  }

  /// The weights, which have changed.
  void read() {
    for (LearnedRows* layer : layers()) layer->read();
    for (OfferHead* head : {&end_, &value_}) head->read(s_.offers);
  }
  /// Hands over the gradients of the weights.
  void finish() {
    for (LearnedRows* layer : layers()) layer->finish();
  }

  /// All modules for the steps of a block; `encoded` are state and history side by side.
  void look(const StepBlock& block, const PlayedSteps& steps, const LossSettings& settings, ConstRows encoded) {
    if (predict_) {
      predict_hidden_.apply(encoded, foreseen_code_, block.rows(), Rectified{});
      predict_.apply(foreseen_code_, action_logits_, block.rows());
      turn(action_logits_, block.rows(), s_.actions, by_column_, predicted_,
           [&](float* columns, std::size_t most) { softmax(columns, s_.actions, most, most); });
    }
    attend(block, encoded);
    for (OfferHead* head : {&end_, &value_}) head->look(block, steps, code_);
    choice_.look(block, steps, settings, code_);
  }

  /// What the first gradient step starts from.
  void judge(const StepBlock& block, const PlayedSteps& steps, const LossSettings& settings, const Judgement& out,
             LossSums& sums) {
    const std::size_t heads = value_.out.outputs();
    block.each([&](std::size_t row, std::size_t i) {
      copy_row(value_.said[i], heads, out.phi + row * heads);
      out.policy[row] = 0.0F;
      if (predict_) {
        const float* logits = action_logits_[i];
        const auto likeliest = std::max_element(logits, logits + s_.actions) - logits;
        sums.predicted += likeliest == steps.follower_action[row] ? 1.0 : 0.0;
      }
      if (!end_.out) return;
      const float logit = *end_.said[i];
      out.termination[row] = steps.held[row] < 0 ? 0.0F : log_sigmoid(steps.new_offer[row] ? logit : -logit);
      if (steps.previous[row] >= 0) sums.beta += static_cast<double>(1.0F / (1.0F + std::exp(-logit)));
    });
    choice_.judge(steps, settings, out.policy);
  }

  /// The losses, and their gradients by what the modules say, times `share`.
  void learn(const StepBlock& block, const PlayedSteps& steps, const LossSettings& settings, const LossTargets& targets,
             float share, LossSums& sums) {
    critic_loss(block, targets, static_cast<float>(settings.critic) * share, sums);
    if (predict_) imitation_loss(block, steps, static_cast<float>(settings.imitation) * share, sums);
    if (end_.out) end_loss(block, steps, settings, targets, share, sums);
    choice_.learn(block, steps, settings, targets, share, sums);
  }

  /// The gradients of the weights and of state and history, given those of learn().
  void back(const StepBlock& block, const PlayedSteps& steps, ConstRows encoded, Rows by_encoded) {
    const std::size_t rows = block.rows();
    value_.back(block, steps, code_, by_layer_, gradients_);
    value_.code.back(by_layer_, by_code_, rows);
    if (end_.out) {
      end_.back(block, steps, code_, by_layer_, gradients_);
      end_.code.add_back(by_layer_, by_code_, rows);
    }
    choice_.back(by_code_);
    attend_back(block);
    blend_encoded_.learn(by_x_, encoded, rows);
    blend_encoded_.back(by_x_, by_encoded, rows);
    if (blend_predicted_) blend_predicted_.learn(by_x_, predicted_, rows);
    if (!predict_) return;
    predict_.learn(by_action_, foreseen_code_, rows);
    predict_.back(by_action_, by_layer_, rows, WherePositive{foreseen_code_});
    predict_hidden_.learn(by_layer_, encoded, rows);
    predict_hidden_.add_back(by_layer_, by_encoded, rows);
  }

 private:
  std::vector<LearnedRows*> layers() {
    std::vector<LearnedRows*> all{&predict_hidden_, &predict_,  &blend_encoded_, &blend_predicted_, &score_,    &own_,
                                  &others_,         &end_.code, &end_.out,       &value_.code,      &value_.out};
    for (LearnedRows* layer : choice_.layers()) all.push_back(layer);
    return all;
  }

  /// body(columns, how far one is from the next) for the columns of some rows, which then are rows again, of `to`.
  template <class Body>
  static void turn(ConstRows from, std::size_t rows, std::size_t columns, RowRoom& by_column, Rows to, Body&& body) {
    const std::size_t whole = (columns + 7) / 8 * 8;  // what transpose() takes at once
    transpose(from.first, from.stride, rows, whole, by_column[0], by_column.stride());
    body(by_column[0], by_column.stride());
    transpose(by_column[0], by_column.stride(), whole, rows, to.first, to.stride);
  }

  /// c, out of a follower's own x and of all followers', weighed.
  void attend(const StepBlock& block, ConstRows encoded) {
    const std::size_t rows = block.rows(), followers = s_.followers, wide = x_.stride();
    if (blend_predicted_) {
      blend_encoded_.apply(encoded, x_, rows);
      blend_predicted_.add(predicted_, x_, rows, Rectified{});
    } else {
      blend_encoded_.apply(encoded, x_, rows, Rectified{});
    }
    weigh(block);
    for (std::size_t game = 0; game < block.count; ++game) {
      const float* weight = weights(game);
      for (std::size_t j = 0; j < wide; j += kWidth<float>) {
        Floats sum{};
        for (std::size_t n = 0; n < followers; ++n) sum += weight[n] * load<Floats>(x_[game * followers + n] + j);
        store(sum, summary_[game] + j);
      }
    }
    for (std::size_t game = 0; game < block.count; ++game) copy_row(own_.bias(), wide, from_others_[game]);
    others_.add(summary_, from_others_, block.count);
    for (std::size_t i = 0; i < rows; ++i) start_[i] = from_others_[i / followers];
    own_.apply(start_.data(), x_, code_, rows, Hyperbolic{});
  }

  /// The followers' weights in the sum of a game.
  void weigh(const StepBlock& block) {
    const std::size_t rows = block.rows(), followers = s_.followers;
    float* weight = weight_[0];
    if (!score_) return std::fill_n(weight, rows, 1.0F / static_cast<float>(followers)), void();
    score_.apply(x_, score_logit_, rows);
    for (std::size_t game = 0, i = 0; game < block.count; ++game) {
      float largest = *score_logit_[i];
      for (std::size_t n = 0; n < followers; ++n) largest = larger(*score_logit_[i + n], largest);
      for (std::size_t n = 0; n < followers; ++n, ++i) weight[i] = *score_logit_[i] - largest;
    }
    map(rows, weight, []<class W>(W x) { return exponential(x); }, weight);
    for (std::size_t game = 0; game < block.count; ++game) {
      float *one = weights(game), sum = 0.0F;
      for (std::size_t n = 0; n < followers; ++n) sum += one[n];
      const float share = 1.0F / sum;
      for (std::size_t n = 0; n < followers; ++n) one[n] *= share;
    }
  }

  /// From the code's gradient to x's.
  void attend_back(const StepBlock& block) {
    const std::size_t rows = block.rows(), followers = s_.followers, wide = x_.stride();
    for (std::size_t game = 0; game < block.count; ++game)
      for (std::size_t j = 0; j < wide; j += kWidth<float>) {
        Floats sum{};
        for (std::size_t i = game * followers; i < (game + 1) * followers; ++i) {
          const Floats code = load<Floats>(code_[i] + j), by = load<Floats>(by_code_[i] + j) * (1 - code * code);
          store(by, by_code_[i] + j);
          sum += by;
        }
        store(sum, by_others_[game] + j);
      }
    own_.learn(by_code_, x_, rows);
    own_.back(by_code_, by_x_, rows);
    others_.learn(by_others_, summary_, block.count);
    others_.back(by_others_, by_summary_, block.count);
    for (std::size_t game = 0; game < block.count; ++game) {
      const float *weight = weights(game), *by_summary = by_summary_[game];
      float mean = 0.0F;
      for (std::size_t n = 0; n < followers; ++n) {
        const std::size_t i = game * followers + n;
        Floats sum{};
        for (std::size_t j = 0; j < wide; j += kWidth<float>) {
          const Floats by = load<Floats>(by_summary + j);
          store(Floats(load<Floats>(by_x_[i] + j) + weight[n] * by), by_x_[i] + j);
          sum += load<Floats>(x_[i] + j) * by;
        }
        *by_weight_[i] = total(sum);
        mean += weight[n] * *by_weight_[i];
      }
      for (std::size_t n = 0; n < followers; ++n) {
        float* by = by_weight_[game * followers + n];
        *by = weight[n] * (*by - mean);
      }
    }
    if (score_) {
      score_.learn(by_weight_, x_, rows);
      score_.add_back(by_weight_, by_x_, rows, WherePositive{x_});
    } else {
      for (std::size_t i = 0; i < rows; ++i)
        map_row(wide, by_x_[i], []<class W>(W by, W x) { return x > W{} ? by : W{}; }, by_x_[i], x_[i]);
    }
  }

  void critic_loss(const StepBlock& block, const LossTargets& targets, float critic, LossSums& sums) {
    const std::size_t heads = value_.out.outputs();
    block.each([&](std::size_t row, std::size_t i) {
      float *by = value_.by_said[i], squares = 0.0F;
      const float *said = value_.said[i], *target = targets.targets + row * heads;
      for (std::size_t j = 0; j < heads; ++j) {
        const float off = said[j] - target[j];
        squares += off * off;
        by[j] = critic * off;
      }
      sums.critic += 0.5 * static_cast<double>(squares);
    });
  }

  void imitation_loss(const StepBlock& block, const PlayedSteps& steps, float imitation, LossSums& sums) {
    float* likelihood = column_[0];
    block.each([&](std::size_t row, std::size_t i) {
      const auto action = static_cast<std::size_t>(steps.follower_action[row]);
      likelihood[i] = predicted_[i][action];
      map_row(by_action_.stride(), by_action_[i], [=]<class W>(W p) { return imitation * p; }, predicted_[i]);
      by_action_[i][action] -= imitation;
    });
    map(block.rows(), likelihood, []<class W>(W p) { return fast_logarithm(p); }, likelihood);
    for (std::size_t i = 0; i < block.rows(); ++i) sums.imitation -= static_cast<double>(likelihood[i]);
  }

  void end_loss(const StepBlock& block, const PlayedSteps& steps, const LossSettings& settings,
                const LossTargets& targets, float share, LossSums& sums) {
    float *logit = column_[0], *sign = column_[1], *advantage = column_[2], *old = column_[3], *counts = column_[4];
    float *loss = column_[5], *squares = column_[6], *by = column_[7];
    const bool first = targets.termination == nullptr;
    block.each([&](std::size_t row, std::size_t i) {
      logit[i] = *end_.said[i], sign[i] = steps.new_offer[row] ? 1.0F : -1.0F, advantage[i] = targets.advantage[row];
      counts[i] = steps.held[row] < 0 ? 0.0F : 1.0F;
      if (!first) old[i] = targets.termination[row];
    });
    const auto penalty = static_cast<float>(settings.penalty);
    across<float>(block.rows(), [&]<class W>(W, std::size_t i) {
      const W one = load<W>(counts + i), way = load<W>(sign + i), signed_logit = way * load<W>(logit + i);
      const W as_done = sigmoid(signed_logit), beta = way > W{} ? as_done : 1 - as_done;
      const ChoiceLoss<W> choice =
          choice_loss(log_sigmoid(signed_logit), load<W>(advantage + i), first ? nullptr : old + i, settings.clip);
      // Where nothing is held, an offer's start is no choice: its ratio is 1.
      store(one > W{} ? choice.loss : first ? W{} : W{} - load<W>(advantage + i), loss + i);
      store(W(one * beta * beta), squares + i);
      store(W(one * share * (choice.by_log_prob * way * (1 - as_done) + penalty * 2.0F * beta * beta * (1 - beta))),
            by + i);
    });
    for (std::size_t i = 0; i < block.rows(); ++i) {
      *end_.by_said[i] = by[i];
      sums.termination += static_cast<double>(loss[i]), sums.penalty += static_cast<double>(squares[i]);
    }
  }

  /// Of a game's followers, one after the other.
  float* weights(std::size_t game) { return weight_[0] + game * s_.followers; }

  const LeaderWeights& w_;
  const ActingSizes& s_;
  const Gradients& gradients_;
  LearnedRows predict_hidden_{w_.predict_hidden, s_.hidden, gradients_}, predict_{w_.predict, gradients_};
  LearnedRows blend_encoded_{w_.blend_encoded, s_.hidden, gradients_}, blend_predicted_{w_.blend_predicted, gradients_};
  LearnedRows score_{w_.score, gradients_}, own_{w_.attend_own, gradients_}, others_{w_.attend_others, gradients_};
  OfferHead end_{{w_.end_code, gradients_}, w_.end_offer, {w_.end, gradients_}};
  OfferHead value_{{w_.value_code, gradients_}, w_.value_offer, {w_.value, gradients_}};
  LeaderChoice choice_{w_, s_, gradients_};
  // By rows of a block, and by its games.
  RowRoom foreseen_code_, action_logits_, predicted_, x_, score_logit_, weight_, code_;
  RowRoom by_code_, by_layer_, by_x_, by_action_, by_weight_;
  RowRoom summary_, from_others_, by_others_, by_summary_;
  std::vector<const float*> start_;
  RowRoom by_column_, column_;  // a number of all rows side by side
};

}  // namespace
}  // namespace paymaster
