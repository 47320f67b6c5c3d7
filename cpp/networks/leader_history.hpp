// The encoders of a leader that learns: of a step's state, by panels, and of the history, step by step. Local to the file
// that includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "networks/leader_update.hpp"
#include "networks/learned.hpp"
#include "networks/recurrence_steps.hpp"

namespace paymaster {
namespace {

/// out[m, n] += a[rows, m]^T b[rows, n]
inline void add_outer(const float* a, const float* b, float* out, std::size_t rows, std::size_t m, std::size_t n,
                      std::vector<float>& turned) {
  constexpr std::size_t kRows = 64;
  turned.resize(kRows * m);
  for (std::size_t first = 0; first < rows; first += kRows) {
    const std::size_t some = std::min(kRows, rows - first);
    transpose(a + first * m, m, some, m, turned.data(), some);
    add_product(turned.data(), b + first * n, out, m, some, n);
  }
}

/// sums[width] += the rows of a[rows, width]
inline void add_rows_to(const float* a, std::size_t rows, std::size_t width, float* sums) {
  for (std::size_t i = 0; i < rows; ++i)
    map(width, sums, []<class W>(W sum, W x) { return sum + x; }, sums, a + i * width);
}

class LeaderHistory {
 public:
  LeaderHistory(const LeaderWeights& weights, const Gradients& gradients) : w_(weights), gradients_(gradients) {}

  void size(const ActingSizes& sizes) {
    s_ = sizes;
    columns_ = s_.followers * kGames;
    rows_ = s_.games * s_.followers;
    const std::size_t h = s_.hidden, panels = (s_.games + kGames - 1) / kGames;
    const auto at_least = [](std::vector<float>& array, std::size_t numbers) {
      if (array.size() < numbers) array.resize(numbers);
    };
    at_least(states_, panels * h * columns_), at_least(by_state_, panels * h * columns_);
    for (auto* array : {&seen_, &after_, &proposed_, &by_after_, &before_, &by_seen_}) at_least(*array, rows_ * h);
    for (auto* array : {&given_, &gates_, &by_given_, &by_gates_}) at_least(*array, rows_ * 3 * h);
    at_least(own_, (s_.follower_features + s_.goal_features) * columns_);
    at_least(goal_, s_.goals * s_.goal_features * columns_);
    for (auto* array : {&one_goal_, &mean_, &by_mean_, &by_goal_}) at_least(*array, w_.encode_goal.outputs * columns_);
    at_least(seen_panel_, h * columns_);
    at_least(turned_, columns_ * padded(std::max(h, s_.follower_features + s_.goal_features)));
  }

  void read() {
    for (Learned* layer : {&goal_layer_, &pooled_layer_, &own_layer_, &input_layer_}) layer->read();
  }

  float* state(std::size_t panel) { return states_.data() + panel * s_.hidden * columns_; }
  float* state_gradient(std::size_t panel) { return by_state_.data() + panel * s_.hidden * columns_; }
  const float* after() const { return after_.data(); }
  float* after_gradient() { return by_after_.data(); }

  void encode(const PlayedSteps& steps) {
    const std::size_t h = s_.hidden;
    each_panel(s_, [&](const Games& games, std::size_t panel) {
      float* code = state(panel);
      look(games, steps);
      mean_of_goals(nullptr);
      own_layer_.apply(own_.data(), code, columns_);
      pooled_layer_.add(mean_.data(), code, columns_);
      rectify(code, h * columns_);
      std::copy_n(code, h * columns_, seen_panel_.data());
      add_rows_of(w_.history_offer, h, games, steps.previous, 1, seen_panel_.data());
      give(games, seen_panel_.data(), h, seen_.data());
    });
    for (std::size_t i = 0; i < rows_; ++i) std::copy_n(w_.history_input.bias, 3 * h, given_.data() + i * 3 * h);
    add_product(seen_.data(), input_layer_.turned(), given_.data(), rows_, h, 3 * h);
    sequences_.resize(steps.steps);
    for (std::size_t t = 0; t < steps.steps; ++t)
      sequences_[t] = steps.sizes[t] * static_cast<std::int64_t>(s_.followers);
    start_.assign(steps.steps == 0 ? 0 : static_cast<std::size_t>(sequences_[0]) * h, 0.0F);
    by_start_.resize(start_.size());
    forward(RecurrenceForward<float>{given_.data(), start_.data(), w_.history_state.weight, w_.history_state.bias,
                                     gates_.data(), proposed_.data(), after_.data()},
            packed());
  }

  /// Given the gradients of states and histories.
  void learn(const PlayedSteps& steps) {
    const std::size_t h = s_.hidden;
    backward(RecurrenceBackward<float>{by_after_.data(), start_.data(), w_.history_state.weight, gates_.data(),
                                       proposed_.data(), after_.data(), by_given_.data(), by_gates_.data(),
                                       before_.data(), by_start_.data()},
             packed());
    add_outer(by_given_.data(), seen_.data(), input_layer_.weight_gradient(), rows_, 3 * h, h, turned_rows_);
    add_outer(by_gates_.data(), before_.data(), state_layer_.weight_gradient(), rows_, 3 * h, h, turned_rows_);
    add_rows_to(by_given_.data(), rows_, 3 * h, input_layer_.bias_gradient());
    add_rows_to(by_gates_.data(), rows_, 3 * h, state_layer_.bias_gradient());
    std::fill_n(by_seen_.data(), rows_ * h, 0.0F);
    add_product(by_given_.data(), w_.history_input.weight, by_seen_.data(), rows_, 3 * h, h);
    each_panel(s_, [&](const Games& games, std::size_t panel) { learn(games, steps, panel); });
    for (Learned* layer : {&goal_layer_, &pooled_layer_, &own_layer_}) layer->finish();
  }

 private:
  PackedSteps packed() const { return {sequences_.data(), sequences_.size(), s_.hidden}; }

  void look(const Games& games, const PlayedSteps& steps) {
    take(games, steps.goal, s_.goals * s_.goal_features, goal_.data());
    take(games, steps.follower, s_.follower_features, own_.data());
    take_offered(games, s_, steps.goal, steps.previous, own_.data() + s_.follower_features * columns_);
  }

  const float* goal(std::size_t g) const { return goal_.data() + g * s_.goal_features * columns_; }

  /// The mean of goal types' codes; with `gradient`, that of the mean, the other way round.
  void mean_of_goals(const float* gradient) {
    const std::size_t numbers = w_.encode_goal.outputs * columns_;
    const float share = 1.0F / static_cast<float>(s_.goals);
    if (gradient == nullptr) std::fill_n(mean_.data(), numbers, 0.0F);
    for (std::size_t g = 0; g < s_.goals; ++g) {
      goal_layer_.apply(goal(g), one_goal_.data(), columns_);
      if (gradient == nullptr) {
        map(
            numbers, mean_.data(), [=]<class W>(W sum, W x) { return sum + share * rectified(x); }, mean_.data(),
            one_goal_.data());
        continue;
      }
      map(
          numbers, by_goal_.data(), [=]<class W>(W by, W x) { return x > W{} ? share * by : W{}; }, gradient,
          one_goal_.data());
      turn(goal(g), s_.goal_features, columns_, turned_.data());
      goal_layer_.learn(by_goal_.data(), turned_.data(), columns_);
    }
  }

  void learn(const Games& games, const PlayedSteps& steps, std::size_t panel) {
    const std::size_t h = s_.hidden;
    float *by_state = state_gradient(panel), *by_seen = seen_panel_.data();
    take(games, by_seen_.data(), h, by_seen);
    add_columns_to(gradients_.of(w_.history_offer), h, games, steps.previous, 1, by_seen);
    // Columns without a game hold what a panel before has left there; the state's gradient is 0 in them.
    games.each_empty([&](std::size_t column) {
      for (std::size_t j = 0; j < h; ++j) by_seen[j * columns_ + column] = 0.0F;
    });
    map(
        h * columns_, by_state, []<class W>(W by, W more, W x) { return x > W{} ? by + more : W{}; }, by_state, by_seen,
        state(panel));
    look(games, steps);
    mean_of_goals(nullptr);
    turn(own_.data(), s_.follower_features + s_.goal_features, columns_, turned_.data());
    own_layer_.learn(by_state, turned_.data(), columns_);
    turn(mean_.data(), w_.encode_goal.outputs, columns_, turned_.data());
    pooled_layer_.learn(by_state, turned_.data(), columns_);
    std::fill_n(by_mean_.data(), w_.encode_goal.outputs * columns_, 0.0F);
    pooled_layer_.back(by_state, by_mean_.data(), columns_);
    mean_of_goals(by_mean_.data());
  }

  const LeaderWeights& w_;
  const Gradients& gradients_;
  ActingSizes s_;
  std::size_t columns_ = 0, rows_ = 0;
  Learned goal_layer_{w_.encode_goal, gradients_}, pooled_layer_{w_.encode_pooled, gradients_};
  Learned own_layer_{w_.encode_own, gradients_};
  Learned input_layer_{w_.history_input, gradients_}, state_layer_{w_.history_state, gradients_};
  std::vector<std::int64_t> sequences_;                                       // [steps], N times the games in each
  std::vector<float> states_, by_state_;                                      // a panel [H, columns] after the other
  std::vector<float> seen_, after_, proposed_, by_after_, before_, by_seen_;  // [R N, H]
  std::vector<float> given_, gates_, by_given_, by_gates_;                    // [R N, 3H]
  std::vector<float> start_, by_start_;
  std::vector<float> own_, goal_, one_goal_, mean_, by_mean_, by_goal_, seen_panel_, turned_, turned_rows_;
};

}  // namespace
}  // namespace paymaster
