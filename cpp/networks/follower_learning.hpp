// A network of followers that learn: forward and backward over their steps, a panel at a time, whose activations are
// computed anew for the gradient, which is quicker than to store them. Local to the file that includes it (numbers.hpp
// says why).
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include "networks/follower_losses.hpp"
#include "networks/follower_rows.hpp"
#include "networks/follower_update.hpp"
#include "networks/learned.hpp"

namespace paymaster {
namespace {

/// A layer whose weights are stored as [inputs, outputs], the other way round.
class SharedLayer {
 public:
  SharedLayer(const Layer& layer, const Gradients& gradients)
      : layer_(layer),
        turned_(layer.inputs * layer.outputs),
        weight_(gradients.of(layer.weight)),
        bias_(gradients.of(layer.bias)) {}

  /// The weights, which have changed.
  void read() {
    transpose(layer_.weight, layer_.outputs, layer_.inputs, layer_.outputs, turned_.data(), layer_.inputs);
  }
  const Layer& layer() const { return layer_; }
  const float* weight() const { return layer_.weight; }   // [inputs, outputs]
  const float* turned() const { return turned_.data(); }  // [outputs, inputs]
  float* weight_gradient() const { return weight_; }      // [inputs, outputs]
  float* bias_gradient() const { return bias_; }          // [outputs]

  void add(const float* x, float* y, std::size_t columns) const {
    add_product(turned_.data(), x, y, layer_.outputs, layer_.inputs, columns);
  }
  void apply(const float* x, float* y, std::size_t columns) const {
    for (std::size_t i = 0; i < layer_.outputs; ++i) std::fill_n(y + i * columns, columns, layer_.bias[i]);
    add(x, y, columns);
  }

 private:
  const Layer layer_;
  std::vector<float> turned_;
  float *const weight_, *const bias_;
};

class FollowerLearning final : public FollowerUpdate {
 public:
  FollowerLearning(const FollowerWeights& weights, const ActingSizes& sizes, const float* parameters, float* gradient,
                   std::size_t count)
      : w_(weights), s_(sizes), gradients_{parameters, gradient}, count_(count) {}

  void take(const FollowerSteps& steps) override {
    rows_.take(steps);
    old_.resize(rows_.panels() * kColumns);
  }

  void judge(float* value) override {
    read();
    std::fill_n(value, rows_.every(), 0.0F);
    for (std::size_t panel = 0; panel < rows_.panels(); ++panel) {
      look(panel);
      for (std::size_t i = 0; i < rows_.count(panel); ++i)
        value[rows_.step(panel, i)] = out_[s_.actions * kColumns + i];
    }
  }

  FollowerLossSums learn(const FollowerLossSettings& settings, const FollowerTargets& targets, bool first,
                         double scale) override {
    read();
    std::fill_n(gradients_.gradient, count_, 0.0F);
    for (auto* sums :
         {&own_sums_, &joined_sums_, &goal_sums_, &head_sums_, &goal_logit_sums_, &goal_bias_sums_, &bias_sums_})
      std::fill(sums->begin(), sums->end(), 0.0F);
    const float share = static_cast<float>(scale / static_cast<double>(std::max<std::size_t>(1, rows_.rows())));
    FollowerLossSums sums;
    for (std::size_t panel = 0; panel < rows_.panels(); ++panel) {
      look(panel);
      loss_.learn(rows_, panel, settings, targets, first, share, out_.data(), old_.data(), sums);
      back(panel);
    }
    finish();
    return sums;
  }

 private:
  static constexpr std::size_t kColumns = FollowerRows::kColumns, kLanes = kWidth<float>;

  float* heads_out() { return out_.data() + (s_.actions - logits_.layer().outputs) * kColumns; }
  std::size_t heads() const { return logits_.layer().outputs + 1; }

  void read() {
    for (SharedLayer* layer : {&own_, &goal_, &joined_, &logits_, &value_}) layer->read();
    const std::size_t h = s_.hidden, last = heads() - 1;
    std::copy_n(logits_.turned(), last * h, head_weight_.data());
    std::copy_n(value_.turned(), h, head_weight_.data() + last * h);
    transpose(head_weight_.data(), h, heads(), h, head_turned_.data(), heads());
  }

  /// Forward: out_ [A + 1, columns] has the logits and, last, the value.
  void look(std::size_t panel) {
    const std::size_t h = s_.hidden, kinds = s_.goals * kColumns;
    for (std::size_t i = 0; i < kColumns; ++i) {
      float* to = turned_.data() + i * h;
      const bool known = w_.identity != nullptr && i < rows_.count(panel);
      const float *bias = w_.own.bias, *of = known ? w_.identity + rows_.identity(panel, i) * h : nullptr;
      for (std::size_t j = 0; j < h; ++j) to[j] = known ? bias[j] + of[j] : bias[j];
    }
    transpose(turned_.data(), h, kColumns, h, code_.data(), kColumns);
    own_.add(rows_.own(panel), code_.data(), kColumns);
    for (std::size_t i = 0; i < h; ++i) start_goals(i);
    goal_.add(rows_.goal(panel), kinds_.data(), kinds);
    for (std::size_t i = 0; i < h; ++i) look_at_goals(i);
    joined_.apply(mean_and_largest_.data(), joined_code_.data(), kColumns);
    map(
        h * kColumns, joined_code_.data(), []<class W>(W x, W code) { return rectified(x + code); },
        joined_code_.data(), code_.data());
    if (w_.goal_logit) {
      std::fill_n(out_.data(), kinds, *w_.goal_logit.bias);
      add_product(w_.goal_logit.weight, kinds_.data(), out_.data(), 1, h, kinds);  // one output lies as it is stored
    }
    for (std::size_t o = 0; o < heads(); ++o)
      std::fill_n(heads_out() + o * kColumns, kColumns, o + 1 < heads() ? w_.logits.bias[o] : *w_.value.bias);
    add_product(head_weight_.data(), joined_code_.data(), heads_out(), heads(), h, kColumns);
  }

  /// The i-th unit of all goal types' codes, but for what their features add to it.
  void start_goals(std::size_t i) {
    float* kind = kinds_.data() + i * s_.goals * kColumns;
    map(kColumns, kind, [bias = w_.goal.bias[i]]<class W>(W code) { return code + bias; }, code_.data() + i * kColumns);
    for (std::size_t g = 1; g < s_.goals; ++g) std::copy_n(kind, kColumns, kind + g * kColumns);
  }

  /// The i-th unit of all goal types' codes, their mean and the largest.
  void look_at_goals(std::size_t i) {
    const float share = 1.0F / static_cast<float>(s_.goals);
    float *kind = kinds_.data() + i * s_.goals * kColumns, *means = mean_and_largest_.data() + i * kColumns;
    float* most = means + s_.hidden * kColumns;
    across<float>(kColumns, [&]<class W>(W, std::size_t j) {
      W sum{}, largest{};  // codes are never below 0
      for (std::size_t g = 0; g < s_.goals; ++g) {
        const W x = rectified(load<W>(kind + g * kColumns + j));
        store(x, kind + g * kColumns + j);
        sum += x;
        largest = largest > x ? largest : x;  // a NaN stays one
      }
      store(W(share * sum), means + j);
      store(largest, most + j);
    });
  }

  /// Backward, from the gradients by out_ to sums of those by the weights.
  void back(std::size_t panel) {
    const std::size_t h = s_.hidden, kinds = s_.goals * kColumns, wide = padded(h);
    for (std::size_t o = 0; o < heads(); ++o) {
      const float* by_head = heads_out() + o * kColumns;
      for (std::size_t i = 0; i < h; ++i)
        add_dot(by_head, joined_code_.data() + i * kColumns, head_sums_.data() + (o * h + i) * kLanes);
    }
    add_sums(out_.data(), s_.actions + 1, kColumns, bias_sums_.data());
    float* by_code = by_code_.data();
    std::fill_n(by_code, h * kColumns, 0.0F);
    add_product(head_turned_.data(), heads_out(), by_code, h, heads(), kColumns);
    rectify_back(joined_code_.data(), by_code, h * kColumns);
    turn(by_code, h, kColumns, turned_.data());
    add_product(mean_and_largest_.data(), turned_.data(), joined_sums_.data(), 2 * h, kColumns, wide);
    add_sums(by_code, h, kColumns, joined_.bias_gradient());
    float* by_joined = by_mean_and_largest_.data();
    std::fill_n(by_joined, 2 * h * kColumns, 0.0F);
    add_product(joined_.weight(), by_code, by_joined, 2 * h, h, kColumns);
    for (std::size_t i = 0; i < h; ++i) back_to_goals(i);
    add_product(kinds_.data(), rows_.goal_turned(panel), goal_sums_.data(), h, kinds, padded(s_.goal_features));
    turn(by_code, h, kColumns, turned_.data());
    add_product(rows_.own(panel), turned_.data(), own_sums_.data(), s_.follower_features, kColumns, wide);
    add_sums(by_code, h, kColumns, own_.bias_gradient());
    if (float* table = gradients_.of(w_.identity))
      for (std::size_t i = 0; i < rows_.count(panel); ++i) {
        float* to = table + rows_.identity(panel, i) * h;
        map(h, to, []<class W>(W sum, W x) { return sum + x; }, to, turned_.data() + i * wide);
      }
  }

  /// The i-th unit of all goal types' codes: from the gradients by their mean, the largest and their logits to those by
  /// what the layer before says, which replace the codes.
  void back_to_goals(std::size_t i) {
    const std::size_t more = s_.hidden * kColumns;
    float *kind = kinds_.data() + i * s_.goals * kColumns, *by_code = by_code_.data() + i * kColumns;
    const float* most = mean_and_largest_.data() + more + i * kColumns;
    const float *by_mean = by_mean_and_largest_.data() + i * kColumns, *by_most = by_mean + more;
    const float share = 1.0F / static_cast<float>(s_.goals), weight = w_.goal_logit ? w_.goal_logit.weight[i] : 0.0F;
    float *logit_sums = goal_logit_sums_.data() + i * kLanes, *bias_sums = goal_bias_sums_.data() + i * kLanes;
    across<float>(kColumns, [&]<class W>(W, std::size_t j) {
      const W largest = load<W>(most + j), even = share * load<W>(by_mean + j);
      W equals{}, sum{}, logit_sum = load<W>(logit_sums);
      for (std::size_t g = 0; g < s_.goals; ++g)
        equals += load<W>(kind + g * kColumns + j) == largest ? W{} + 1.0F : W{};
      const W each = load<W>(by_most + j) / equals;  // torch's amax shares out among equals, too
      for (std::size_t g = 0; g < s_.goals; ++g) {
        const W x = load<W>(kind + g * kColumns + j);
        W by = even + (x == largest ? each : W{});
        if (w_.goal_logit) {
          const W by_logit = load<W>(out_.data() + g * kColumns + j);
          by += weight * by_logit;
          logit_sum += by_logit * x;
        }
        by = x > W{} ? by : W{};
        store(by, kind + g * kColumns + j);
        sum += by;
      }
      store(logit_sum, logit_sums);
      store(W(load<W>(bias_sums) + sum), bias_sums);
      store(W(load<W>(by_code + j) + sum), by_code + j);
    });
  }

  /// lanes += a b, as many numbers at a time as a register holds.
  static void add_dot(const float* a, const float* b, float* lanes) {
    across<float>(kColumns, [&]<class W>(W, std::size_t j) {
      store(W(load<W>(lanes) + load<W>(a + j) * load<W>(b + j)), lanes);
    });
  }
  static float total(const float* lanes) {
    float sum = 0.0F;
    for (std::size_t k = 0; k < kLanes; ++k) sum += lanes[k];
    return sum;
  }

  /// Hands over the sums.
  void finish() {
    const std::size_t h = s_.hidden, wide = padded(h), d = s_.goal_features, goal_width = padded(d);
    const std::size_t outputs = logits_.layer().outputs;
    for (std::size_t j = 0; j < s_.follower_features; ++j)
      std::copy_n(own_sums_.data() + j * wide, h, own_.weight_gradient() + j * h);
    for (std::size_t j = 0; j < 2 * h; ++j)
      std::copy_n(joined_sums_.data() + j * wide, h, joined_.weight_gradient() + j * h);
    transpose(goal_sums_.data(), goal_width, h, d, goal_.weight_gradient(), h);
    for (std::size_t i = 0; i < h; ++i) {
      goal_.bias_gradient()[i] = total(goal_bias_sums_.data() + i * kLanes);
      for (std::size_t o = 0; o < outputs; ++o)
        logits_.weight_gradient()[i * outputs + o] = total(head_sums_.data() + (o * h + i) * kLanes);
      value_.weight_gradient()[i] = total(head_sums_.data() + (outputs * h + i) * kLanes);
      if (w_.goal_logit) gradients_.of(w_.goal_logit.weight)[i] = total(goal_logit_sums_.data() + i * kLanes);
    }
    std::copy_n(bias_sums_.data() + s_.actions - outputs, outputs, logits_.bias_gradient());
    *value_.bias_gradient() = bias_sums_[s_.actions];
    if (w_.goal_logit)
      *gradients_.of(w_.goal_logit.bias) = std::accumulate(bias_sums_.data(), bias_sums_.data() + s_.goals, 0.0F);
  }

  static std::vector<float> numbers(std::size_t count) { return std::vector<float>(count); }

  const FollowerWeights w_;
  const ActingSizes s_;
  const Gradients gradients_;
  const std::size_t count_;
  SharedLayer own_{w_.own, gradients_}, goal_{w_.goal, gradients_}, joined_{w_.joined, gradients_};
  SharedLayer logits_{w_.logits, gradients_}, value_{w_.value, gradients_};
  FollowerRows rows_{s_};
  FollowerLoss loss_{s_.actions};
  std::vector<float> old_;  // [R], log-probabilities of the actions at the first gradient step

  // Of a panel: [outputs, columns].
  std::vector<float> code_ = numbers(s_.hidden * kColumns), joined_code_ = code_, by_code_ = code_;
  std::vector<float> mean_and_largest_ = numbers(2 * s_.hidden * kColumns), by_mean_and_largest_ = mean_and_largest_;
  std::vector<float> kinds_ = numbers(s_.hidden * s_.goals * kColumns);  // codes of goal types, [H, G columns]
  std::vector<float> out_ = numbers((s_.actions + 1) * kColumns);
  std::vector<float> turned_ = numbers(kColumns * padded(s_.hidden));
  // The last layers as one, the value's below the logits': [outputs, H], and the other way round.
  std::vector<float> head_weight_ = numbers(heads() * s_.hidden), head_turned_ = head_weight_;

  // Gradients added up over panels: [F, H], [2 H, H] and [H, D], their rows padded; for each weight as many numbers as a
  // register holds.
  std::vector<float> own_sums_ = numbers(s_.follower_features * padded(s_.hidden));
  std::vector<float> joined_sums_ = numbers(2 * s_.hidden * padded(s_.hidden));
  std::vector<float> goal_sums_ = numbers(s_.hidden * padded(s_.goal_features));
  std::vector<float> head_sums_ = numbers(heads() * s_.hidden * kLanes);
  std::vector<float> goal_logit_sums_ = numbers(s_.hidden * kLanes), goal_bias_sums_ = goal_logit_sums_;
  std::vector<float> bias_sums_ = numbers(s_.actions + 1);  // of out_
};

}  // namespace
}  // namespace paymaster
