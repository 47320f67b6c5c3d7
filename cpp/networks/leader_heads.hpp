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
    for (Reader* reader : {&end_, &value_}) reader->grow(rows, h);
    choice_.grow(rows);
  }

  /// The weights, which have changed.
  void read() {
    for (LearnedRows* layer : layers()) layer->read();
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
      for (std::size_t i = 0; i < block.rows(); ++i) {
        std::copy_n(action_logits_[i], s_.actions, predicted_[i]);
        softmax(predicted_[i], s_.actions);
      }
    }
    attend(block, encoded);
    for (Reader* reader : {&end_, &value_}) reader->look(block, steps, code_);
    choice_.look(block, steps, settings, code_);
  }

  /// What the first gradient step starts from.
  void judge(const StepBlock& block, const PlayedSteps& steps, const LossSettings& settings, const Judgement& out,
             LossSums& sums) {
    const std::size_t heads = value_.out.outputs();
    block.each([&](std::size_t row, std::size_t i) {
      std::copy_n(value_.said[i], heads, out.phi + row * heads);
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
    const auto critic = static_cast<float>(settings.critic) * share;
    const auto imitation = static_cast<float>(settings.imitation) * share;
    const std::size_t heads = value_.out.outputs();
    block.each([&](std::size_t row, std::size_t i) {
      const float* target = targets.targets + row * heads;
      float squares = 0.0F;
      for (std::size_t j = 0; j < heads; ++j) {
        const float off = value_.said[i][j] - target[j];
        squares += off * off;
        value_.by_said[i][j] = critic * off;
      }
      sums.critic += 0.5 * static_cast<double>(squares);
      if (predict_) {
        const auto action = static_cast<std::size_t>(steps.follower_action[row]);
        sums.imitation -= std::log(static_cast<double>(predicted_[i][action]));
        for (std::size_t a = 0; a < s_.actions; ++a) by_action_[i][a] = imitation * predicted_[i][a];
        by_action_[i][action] -= imitation;
      }
      if (!end_.out) return;
      if (steps.held[row] >= 0) return end_loss(row, i, steps, settings, targets, share, sums);
      *end_.by_said[i] = 0.0F;
      sums.termination -= targets.termination == nullptr ? 0.0 : double{targets.advantage[row]};
    });
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
  /// What is said of the code and the offer that is held: the logit of beta, and phi.
  struct Reader {
    LearnedRows code;
    const float* offer;
    LearnedRows out;
    RowRoom layer = {}, said = {}, by_said = {};

    void grow(std::size_t rows, std::size_t hidden) {
      layer.grow(rows, hidden), said.grow(rows, out.outputs()), by_said.grow(rows, out.outputs());
    }
    const float* held(const PlayedSteps& steps, std::size_t row) const {
      return offer + static_cast<std::size_t>(steps.previous[row] + 1) * code.outputs();
    }
    void look(const StepBlock& block, const PlayedSteps& steps, ConstRows of) {
      if (!out) return;
      block.each([&](std::size_t row, std::size_t i) {
        map(code.outputs(), layer[i], []<class W>(W a, W b) { return a + b; }, held(steps, row), code.bias());
      });
      code.add(of, layer, block.rows(), Rectified{});
      out.apply(layer, said, block.rows());
    }
    /// The gradients of the weights, and in `by_layer` that of the layer.
    void back(const StepBlock& block, const PlayedSteps& steps, ConstRows of, Rows by_layer,
              const Gradients& gradients) {
      out.learn(by_said, layer, block.rows());
      out.back(by_said, by_layer, block.rows(), WherePositive{layer});
      float* by_offer = gradients.of(offer);
      block.each([&](std::size_t row, std::size_t i) {
        float* by = by_offer + (held(steps, row) - offer);
        map(code.outputs(), by, []<class W>(W sum, W one) { return sum + one; }, by, by_layer[i]);
      });
      code.learn(by_layer, of, block.rows());
    }
  };

  std::vector<LearnedRows*> layers() {
    std::vector<LearnedRows*> all{&predict_hidden_, &predict_,  &blend_encoded_, &blend_predicted_, &score_,    &own_,
                                  &others_,         &end_.code, &end_.out,       &value_.code,      &value_.out};
    for (LearnedRows* layer : choice_.layers()) all.push_back(layer);
    return all;
  }

  /// e^x / sum e^x of a few numbers, in place.
  static void softmax(float* x, std::size_t count) {
    float largest = x[0], sum = 0.0F;
    for (std::size_t i = 1; i < count; ++i) largest = larger(x[i], largest);
    for (std::size_t i = 0; i < count; ++i) x[i] = exponential(x[i] - largest);
    for (std::size_t i = 0; i < count; ++i) sum += x[i];
    for (std::size_t i = 0; i < count; ++i) x[i] /= sum;
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
    if (score_) score_.apply(x_, score_logit_, rows);
    for (std::size_t game = 0; game < block.count; ++game) {
      float* weight = weights(game);
      for (std::size_t n = 0; n < followers; ++n)
        weight[n] = score_ ? *score_logit_[game * followers + n] : 1.0F / static_cast<float>(followers);
      if (score_) softmax(weight, followers);
      for (std::size_t j = 0; j < wide; j += kWidth<float>) {
        Floats sum{};
        for (std::size_t n = 0; n < followers; ++n) sum += weight[n] * load<Floats>(x_[game * followers + n] + j);
        store(sum, summary_[game] + j);
      }
    }
    others_.apply(summary_, from_others_, block.count);
    for (std::size_t i = 0; i < rows; ++i)
      map_row(wide, code_[i], []<class W>(W a, W b) { return a + b; }, from_others_[i / followers], own_.bias());
    own_.add(x_, code_, rows);
    for (std::size_t i = 0; i < rows; ++i)
      map_row(wide, code_[i], []<class W>(W x) { return hyperbolic(x); }, code_[i]);
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

  void end_loss(std::size_t row, std::size_t i, const PlayedSteps& steps, const LossSettings& settings,
                const LossTargets& targets, float share, LossSums& sums) {
    const float logit = *end_.said[i], beta = 1.0F / (1.0F + std::exp(-logit));
    const float log_prob = log_sigmoid(steps.new_offer[row] ? logit : -logit);
    const float* old = targets.termination == nullptr ? nullptr : targets.termination + row;
    const ChoiceLoss choice = choice_loss(log_prob, targets.advantage[row], old, settings.clip);
    sums.termination += choice.loss;
    sums.penalty += static_cast<double>(beta * beta);
    const auto penalty = static_cast<float>(settings.penalty);
    *end_.by_said[i] = share * (choice.by_log_prob * (steps.new_offer[row] ? 1.0F - beta : -beta) +
                                penalty * 2.0F * beta * beta * (1.0F - beta));
  }

  /// Of a game's followers, one after the other.
  float* weights(std::size_t game) { return weight_[0] + game * s_.followers; }

  const LeaderWeights& w_;
  const ActingSizes& s_;
  const Gradients& gradients_;
  LearnedRows predict_hidden_{w_.predict_hidden, s_.hidden, gradients_}, predict_{w_.predict, gradients_};
  LearnedRows blend_encoded_{w_.blend_encoded, s_.hidden, gradients_}, blend_predicted_{w_.blend_predicted, gradients_};
  LearnedRows score_{w_.score, gradients_}, own_{w_.attend_own, gradients_}, others_{w_.attend_others, gradients_};
  Reader end_{{w_.end_code, gradients_}, w_.end_offer, {w_.end, gradients_}};
  Reader value_{{w_.value_code, gradients_}, w_.value_offer, {w_.value, gradients_}};
  LeaderChoice choice_{w_, s_, gradients_};
  // By rows of a block, and by its games.
  RowRoom foreseen_code_, action_logits_, predicted_, x_, score_logit_, weight_, code_;
  RowRoom by_code_, by_layer_, by_x_, by_action_, by_weight_;
  RowRoom summary_, from_others_, by_others_, by_summary_;
};

}  // namespace
}  // namespace paymaster
