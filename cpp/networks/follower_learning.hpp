// A network of followers that learn: forward and backward over their steps, a block at a time, whose activations are
// computed anew for the gradient, which is quicker than to store them. Local to the file that includes it (numbers.hpp
// says why).
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include "networks/follower_look.hpp"
#include "networks/follower_losses.hpp"
#include "networks/follower_rows.hpp"
#include "networks/follower_update.hpp"

namespace paymaster {
namespace {

class FollowerLearning final : public FollowerUpdate {
 public:
  FollowerLearning(const FollowerWeights& weights, const ActingSizes& sizes, const float* parameters, float* gradient,
                   std::size_t count)
      : w_(weights), s_(sizes), gradients_{parameters, gradient}, count_(count) {}

  void take(const FollowerSteps& steps) override {
    rows_.take(steps);
    old_.resize(rows_.rows() + kBlock);  // the last block is filled up
  }

  void judge(float* value) override {
    look_.read();
    std::fill_n(value, rows_.every(), 0.0F);
    rows_.each_block([&](std::size_t row, const FollowerBlock& block) {
      look_.look(block);
      look_.judge(block.rows, out_.data());
      for (std::size_t i = 0; i < block.rows; ++i) value[rows_.step(row + i)] = out_[i];
    });
  }

  FollowerLossSums learn(const FollowerLossSettings& settings, const FollowerTargets& targets, bool first,
                         double scale) override {
    begin();
    const float share = static_cast<float>(scale / static_cast<double>(std::max<std::size_t>(1, rows_.rows())));
    FollowerLossSums sums;
    rows_.each_block([&](std::size_t row, const FollowerBlock& block) {
      look_.look(block);
      look_.act(block.rows, out_.data());
      look_.judge(block.rows, out_.data() + s_.actions * kBlock);
      loss_.learn(rows_, row, block.rows, settings, targets, first, share, out_.data(), old_.data() + row, sums);
      back(row, block);
    });
    finish();
    return sums;
  }

 private:
  static constexpr std::size_t kBlock = FollowerLook::kBlock;

  std::size_t heads() const { return w_.logits.outputs + 1; }

  void begin() {
    look_.read();
    for (SharedGradient* layer : {&own_, &goal_, &joined_}) layer->read();
    std::fill_n(gradients_.gradient, count_, 0.0F);
    head_sums_.clear(), goal_head_sums_.clear();
    std::fill(bias_sums_.begin(), bias_sums_.end(), 0.0F);
  }

  /// Backward, from the gradients by out_ to sums of those by the weights.
  void back(std::size_t row, const FollowerBlock& block) {
    const std::size_t rows = block.rows, h = s_.hidden, d = s_.goal_features;
    const ConstRows by_heads{out_.data() + (s_.actions + 1 - heads()) * kBlock, kBlock};  // [heads, rows]
    for (std::size_t a = 0; a <= s_.actions; ++a) bias_sums_[a] += total_of(out_.data() + a * kBlock);
    product<false>(by_heads, look_.joined_code, ConstRows(head_sums_), head_sums_, heads(), rows, h);
    product<true>(by_heads, look_.heads, ConstRows{zeros_[0], 0}, by_code_, rows, heads(), h,
                  WherePositive{look_.joined_code});
    joined_.learn(by_code_, look_.pooled, rows);
    joined_.back(by_code_, by_pooled_, rows);
    back_to_goals(rows);
    for (std::size_t g = 0; g < s_.goals; ++g) goal_.learn(look_.kind(g), {block.goal + g * d, s_.goals * d}, rows);
    own_.learn(by_code_, {block.own, s_.follower_features}, rows);
    if (float* table = gradients_.of(w_.identity))
      for (std::size_t i = 0; i < rows; ++i) {
        float* to = table + rows_.identity(row + i) * h;
        map(h, to, []<class W>(W sum, W x) { return sum + x; }, to, by_code_[i]);
      }
  }

  /// From the gradients by mean, largest and logits of the goal types' codes to those by what the layer before says, which
  /// replace the codes, and are added to the gradient by the own code.
  void back_to_goals(std::size_t rows) {
    const std::size_t goals = s_.goals, half = look_.half(), next = kBlock * half;  // goal type of the same step
    const float share = 1.0F / static_cast<float>(goals);
    const float* out = out_.data();
    const bool has_logits = static_cast<bool>(w_.goal_logit);
    for (std::size_t j = 0; j < half; j += kWidth<float>) {
      const Floats weight = load<Floats>(look_.goal_head[0] + j);  // zeros, where goal types have no logits
      Floats logit_sum = load<Floats>(goal_head_sums_[0] + j);
      for (std::size_t i = 0; i < rows; ++i) {
        const Floats largest = load<Floats>(look_.pooled[i] + half + j);
        const Floats even = share * load<Floats>(by_pooled_[i] + j);
        float* kinds = look_.kind(0)[i] + j;
        Floats equals{}, sum{}, by_weight{};
        for (std::size_t g = 0; g < goals; ++g)
          equals += load<Floats>(kinds + g * next) == largest ? Floats{} + 1.0F : Floats{};
        // torch's amax shares out among equals, too
        const Floats each = load<Floats>(by_pooled_[i] + half + j) * reciprocal(equals);
        for (std::size_t g = 0; g < goals; ++g) {
          const Floats x = load<Floats>(kinds + g * next);
          Floats by = even + (x == largest ? each : Floats{});
          if (has_logits) {
            const float by_logit = out[g * kBlock + i];
            by += by_logit * weight;
            by_weight += by_logit * x;
          }
          by = x > Floats{} ? by : Floats{};
          store(by, kinds + g * next);
          sum += by;
        }
        logit_sum += by_weight;
        store(Floats(load<Floats>(by_code_[i] + j) + sum), by_code_[i] + j);
      }
      store(logit_sum, goal_head_sums_[0] + j);
    }
  }

  static float total_of(const float* columns) {
    Floats sum{};
    for (std::size_t j = 0; j < kBlock; j += kWidth<float>) sum += load<Floats>(columns + j);
    return total(sum);
  }

  /// Hands over the sums.
  void finish() {
    const std::size_t h = s_.hidden, outputs = w_.logits.outputs;
    for (const SharedGradient* layer : {&own_, &goal_, &joined_}) layer->finish(gradients_);
    float* by_logits = gradients_.of(w_.logits.weight);
    for (std::size_t i = 0; i < h; ++i)
      for (std::size_t o = 0; o < outputs; ++o) by_logits[i * outputs + o] = head_sums_[o][i];
    std::copy_n(head_sums_[outputs], h, gradients_.of(w_.value.weight));
    std::copy_n(bias_sums_.data() + s_.actions - outputs, outputs, gradients_.of(w_.logits.bias));
    *gradients_.of(w_.value.bias) = bias_sums_[s_.actions];
    if (!w_.goal_logit) return;
    std::copy_n(goal_head_sums_[0], h, gradients_.of(w_.goal_logit.weight));
    *gradients_.of(w_.goal_logit.bias) = std::accumulate(bias_sums_.data(), bias_sums_.data() + s_.goals, 0.0F);
  }

  const FollowerWeights w_;
  const ActingSizes s_;
  const Gradients gradients_;
  const std::size_t count_;
  FollowerRows rows_{s_};
  FollowerLook look_{w_, s_};
  FollowerLoss loss_{s_.actions};
  std::vector<float> old_;  // [R], log-probabilities of the actions at the first gradient step
  std::vector<float> out_ = std::vector<float>((s_.actions + 1) * kBlock);  // of a block, a column a step

  SharedGradient own_{look_.own}, goal_{look_.goal}, joined_{look_.joined};
  RowRoom by_code_{kBlock, s_.hidden}, by_pooled_{kBlock, 2 * padded(s_.hidden)}, zeros_{1, s_.hidden};
  RowRoom head_sums_{heads(), s_.hidden}, goal_head_sums_{1, s_.hidden};
  std::vector<float> bias_sums_ = std::vector<float>(s_.actions + 1);  // of out_
};

}  // namespace
}  // namespace paymaster
