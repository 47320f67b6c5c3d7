// The encoders of a leader that learns: of a step's state, and of the history, step by step. Local to the file that
// includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "networks/learned_rows.hpp"
#include "networks/step_groups.hpp"

namespace paymaster {
namespace {

class LeaderHistory {
 public:
  LeaderHistory(const LeaderWeights& weights, const ActingSizes& sizes, const Gradients& gradients)
      : w_(weights), s_(sizes), gradients_(gradients) {
    own_layer_.place({w_.encode_own, 0, s_.hidden, 0, 0, w_.encode_own.inputs, 0});
    own_layer_.place({w_.encode_pooled, 0, s_.hidden, 0, 0, w_.encode_pooled.inputs, w_.encode_own.inputs});
    const Layer &input = w_.history_input, &state = w_.history_state;
    const std::size_t h = s_.hidden, r = 0, z = h, n = 2 * h;
    // Side by side: n, r and z of the input; r, z and n of the state. A row of gates has n, r, z and h_n, so that each
    // finds its own together.
    input_layer_.place({input, n, h, 0, 0, h, 0});
    input_layer_.place({input, r, h, wide_, 0, h, 0}), input_layer_.place({input, z, h, 2 * wide_, 0, h, 0});
    input_layer_.place({state, r, h, wide_, 0, 0, 0}), input_layer_.place({state, z, h, 2 * wide_, 0, 0, 0});
    Layer unbiased = state;
    unbiased.bias = nullptr;
    state_layer_.place({unbiased, r, h, 0, 0, h, 0}), state_layer_.place({unbiased, z, h, wide_, 0, h, 0});
    state_layer_.place({state, n, h, 2 * wide_, 0, h, 0});
  }

  /// Makes room for groups of that many rows, of which so many at one time.
  void grow(std::size_t rows, std::size_t together) {
    const std::size_t block = std::max(kBlock, s_.followers);
    encoded_.grow(rows, 2 * wide_), by_encoded_.grow(rows, 2 * wide_);
    seen_.grow(rows, wide_), before_.grow(rows, wide_), gates_.grow(rows, 4 * wide_);
    own_.grow(rows, w_.encode_own.inputs + padded(goal_layer_.outputs()));
    code_.grow(rows * s_.goals, goal_layer_.outputs()), by_code_.grow(block * s_.goals, goal_layer_.outputs());
    by_seen_.grow(block, wide_), by_mean_.grow(block, goal_layer_.outputs()), later_.grow(together, wide_);
  }

  /// The weights, which have changed.
  void read() {
    for (LearnedRows* layer : layers()) layer->read();
  }
  /// Hands over the gradients of the weights.
  void finish() {
    for (LearnedRows* layer : layers()) layer->finish();
  }

  /// Of a group's steps: the state's code and the history's, side by side.
  ConstRows encoded() const { return encoded_; }
  Rows encoded_gradient() { return by_encoded_; }

  void encode(const StepGroup& group, const PlayedSteps& steps) {
    group.each_block(kBlock, [&](const StepBlock& block) { look(block, steps); });
    for (std::size_t t = 0; t < group.times(); ++t) recur(group, t);
  }

  /// Given encoded_gradient(). What encode() has left is gone then.
  void learn(const StepGroup& group, const PlayedSteps& steps) {
    for (std::size_t t = group.times(); t-- > 0;) recur_back(group, t);
    group.each_block(kBlock, [&](const StepBlock& block) { learn(block, steps); });
  }

 private:
  static constexpr std::size_t kBlock = 64;  // rows

  std::vector<LearnedRows*> layers() { return {&goal_layer_, &own_layer_, &input_layer_, &state_layer_}; }

  /// All that does not go step by step.
  void look(const StepBlock& block, const PlayedSteps& steps) {
    const std::size_t first = block.first_row(), rows = block.rows(), f = s_.follower_features, d = s_.goal_features;
    block.each([&](std::size_t from, std::size_t to) {
      float* own = own_[first + to];
      copy_row(steps.follower + from * f, f, own);
      const std::size_t kind =
          steps.previous[from] < 0 ? s_.goals : static_cast<std::size_t>(steps.previous[from]) / s_.bonuses;
      if (kind < s_.goals) copy_row(steps.goal + (from * s_.goals + kind) * d, d, own + f);
      else std::fill_n(own + f, d, 0.0F);
    });
    block.each_run([&](std::size_t from, std::size_t to, std::size_t count) {
      goal_layer_.apply(goals(steps, from), code_.from((first + to) * s_.goals), count * s_.goals, Rectified{});
    });
    const float share = 1.0F / static_cast<float>(s_.goals);
    for (std::size_t i = first; i < first + rows; ++i)
      for (std::size_t j = 0; j < code_.stride(); j += kWidth<float>) {
        Floats sum{};
        for (std::size_t g = 0; g < s_.goals; ++g) sum += share * load<Floats>(code_[i * s_.goals + g] + j);
        store(sum, own_[i] + w_.encode_own.inputs + j);
      }
    const Rows state = encoded_.from(first);
    own_layer_.apply(own_.from(first), state, rows, Rectified{});
    block.each([&](std::size_t from, std::size_t to) {
      map(
          s_.hidden, seen_[first + to], []<class W>(W a, W b) { return a + b; }, state[to],
          offer(w_.history_offer, steps, from));
    });
  }

  /// A step of the GRU: r, z = sigmoid(x_rz + h_rz); n = tanh(x_n + r h_n); h' = n + z (h - n).
  void recur(const StepGroup& group, std::size_t t) {
    const std::size_t first = group.start(t), rows = group.start(t + 1) - first;
    const Rows gates = gates_.from(first), after = encoded_.from(first, wide_);
    const ConstRows before = t == 0 ? ConstRows{nothing_[0], 0} : ConstRows(encoded_.from(group.start(t - 1), wide_));
    input_layer_.apply(seen_.from(first), gates, rows);
    for (std::size_t i = 0; i < rows; ++i) copy_row(state_layer_.bias() + 2 * wide_, wide_, gates[i] + 3 * wide_);
    if (t > 0) state_layer_.add(before, gates.from(0, wide_), rows);
    for (std::size_t i = 0; i < rows; ++i)
      map_row(2 * wide_, gates[i] + wide_, []<class W>(W x) { return sigmoid(x); }, gates[i] + wide_);
    for (std::size_t i = 0; i < rows; ++i) {
      float *n = gates[i], *r = n + wide_, *z = r + wide_, *h_n = z + wide_;
      map_row(wide_, n, []<class W>(W x, W reset, W h) { return hyperbolic(x + reset * h); }, n, r, h_n);
      map_row(
          wide_, after[i], []<class W>(W proposed, W keep, W was) { return proposed + keep * (was - proposed); }, n, z,
          before[i]);
    }
  }

  /// Back through it: a row's n, r, z and h_n become the gradients of x_n, of r's and z's sums and of h_n.
  void recur_back(const StepGroup& group, std::size_t t) {
    const std::size_t first = group.start(t), rows = group.start(t + 1) - first;
    const std::size_t later = t + 1 == group.times() ? 0 : group.start(t + 2) - first - rows;
    const Rows gates = gates_.from(first);
    const ConstRows before = t == 0 ? ConstRows{nothing_[0], 0} : ConstRows(encoded_.from(group.start(t - 1), wide_));
    for (std::size_t i = 0; i < rows; ++i) {
      float *n = gates[i], *r = n + wide_, *z = r + wide_, *h_n = z + wide_, *total = later_[i];
      const float *by = by_encoded_[first + i] + wide_, *was = before[i], *from_later = i < later ? total : nothing_[0];
      for (std::size_t j = 0; j < wide_; j += kWidth<float>) {
        const Floats proposed = load<Floats>(n + j), reset = load<Floats>(r + j), keep = load<Floats>(z + j);
        const Floats here = load<Floats>(by + j) + load<Floats>(from_later + j), old = load<Floats>(was + j);
        const Floats by_n = here * (1 - keep) * (1 - proposed * proposed);
        store(Floats(by_n * load<Floats>(h_n + j) * reset * (1 - reset)), r + j);
        store(Floats(here * (old - proposed) * keep * (1 - keep)), z + j);
        store(by_n, n + j), store(Floats(by_n * reset), h_n + j);
        store(Floats(here * keep), total + j), store(old, before_[first + i] + j);
      }
    }
    if (t > 0) state_layer_.add_back(gates.from(0, wide_), later_, rows);
  }

  void learn(const StepBlock& block, const PlayedSteps& steps) {
    const std::size_t first = block.first_row(), rows = block.rows(), wide = code_.stride();
    const Rows gates = gates_.from(first), by_seen = by_seen_, by_state = by_encoded_.from(first);
    state_layer_.learn(gates.from(0, wide_), before_.from(first), rows);
    input_layer_.learn(gates, seen_.from(first), rows);
    input_layer_.back(gates, by_seen, rows);
    float* by_offer = gradients_.of(w_.history_offer);
    block.each([&](std::size_t from, std::size_t to) {
      float* by = by_offer + static_cast<std::size_t>(steps.previous[from] + 1) * s_.hidden;
      map(s_.hidden, by, []<class W>(W sum, W one) { return sum + one; }, by, by_seen[to]);
      map_row(
          wide_, by_state[to], []<class W>(W sum, W one, W x) { return x > W{} ? sum + one : W{}; }, by_state[to],
          by_seen[to], encoded_[first + to]);
    });
    own_layer_.learn(by_state, own_.from(first), rows);
    own_layer_.back(by_state, by_mean_, rows, w_.encode_own.inputs, goal_layer_.outputs());
    const float share = 1.0F / static_cast<float>(s_.goals);
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t g = 0; g < s_.goals; ++g)
        map_row(
            wide, by_code_[i * s_.goals + g], [=]<class W>(W by, W x) { return x > W{} ? share * by : W{}; },
            by_mean_[i], code_[(first + i) * s_.goals + g]);
    block.each_run([&](std::size_t from, std::size_t to, std::size_t count) {
      goal_layer_.learn(by_code_.from(to * s_.goals), goals(steps, from), count * s_.goals);
    });
  }

  /// The goals' features, a goal a row, from those of a follower on.
  ConstRows goals(const PlayedSteps& steps, std::size_t row) const {
    return {steps.goal + row * s_.goals * s_.goal_features, s_.goal_features};
  }
  const float* offer(const float* table, const PlayedSteps& steps, std::size_t row) const {
    return table + static_cast<std::size_t>(steps.previous[row] + 1) * s_.hidden;
  }

  const LeaderWeights& w_;
  const ActingSizes& s_;
  const Gradients& gradients_;
  const std::size_t wide_ = padded(s_.hidden);
  LearnedRows goal_layer_{w_.encode_goal, gradients_, false};
  // Own and pooled features: the latter up to the end of a line, since their gradients are lines.
  LearnedRows own_layer_{w_.encode_own.inputs + padded(w_.encode_pooled.inputs), s_.hidden, gradients_};
  LearnedRows input_layer_{s_.hidden, 3 * wide_, gradients_}, state_layer_{s_.hidden, 3 * wide_, gradients_};
  RowRoom encoded_, by_encoded_;                 // [rows, 2H], state and history
  RowRoom own_, code_, seen_, gates_, before_;   // gates [rows, 4H]: n, r, z, h_n
  RowRoom by_seen_, by_mean_, by_code_, later_;  // of a block; of a time
  RowRoom nothing_{1, s_.hidden};
};

}  // namespace
}  // namespace paymaster
