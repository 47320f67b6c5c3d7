// A step of followers that act. Local to the file that includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "networks/acting.hpp"
#include "networks/follower_look.hpp"

namespace paymaster {
namespace {

class FollowerStep {
 public:
  FollowerStep(const FollowerWeights& weights, const ActingSizes& sizes)
      : actions_(sizes.actions), look_(weights, sizes) {
    look_.read();
  }

  void play(const FollowerBlock& block, const FollowerStepArrays& arrays, std::size_t first) {
    look_.look(block);
    look_.act(block.rows, out_[0]);
    if (arrays.logits != nullptr)
      for (std::size_t i = 0; i < block.rows; ++i)
        for (std::size_t a = 0; a < actions_; ++a) arrays.logits[(first + i) * actions_ + a] = out_[a][i];
    if (arrays.action == nullptr) return;
    if (arrays.uniform == nullptr) {
      choose();
    } else {
      std::copy_n(arrays.uniform + first, block.rows, uniform_);
      draw(arrays.explore);
    }
    for (std::size_t i = 0; i < block.rows; ++i) arrays.action[first + i] = static_cast<std::int64_t>(chosen_[i]);
  }

 private:
  static constexpr std::size_t kBlock = FollowerLook::kBlock, kLanes = kWidth<float>;

  Floats logit(std::size_t action, std::size_t j) const { return load<Floats>(out_[action] + j); }

  /// The likeliest actions.
  void choose() {
    for (std::size_t j = 0; j < kBlock; j += kLanes) {
      Floats best = logit(0, j), chosen{};
      for (std::size_t a = 1; a < actions_; ++a) {
        const Floats other = logit(a, j);
        chosen = other > best ? Floats{} + static_cast<float>(a) : chosen;
        best = larger(other, best);
      }
      store(chosen, chosen_ + j);
    }
  }
  /// Each action as often as it is likely, or, with probability `explore`, as often as any. The logits become sums.
  void draw(double explore) {
    const auto rest = static_cast<float>(1.0 - explore);
    const auto even = static_cast<float>(explore / static_cast<double>(actions_));
    for (std::size_t j = 0; j < kBlock; j += kLanes) {
      Floats largest = logit(0, j), every{}, sum{}, chosen{};
      for (std::size_t a = 1; a < actions_; ++a) largest = larger(logit(a, j), largest);
      for (std::size_t a = 0; a < actions_; ++a) every += exponential(logit(a, j) - largest);
      for (std::size_t a = 0; a < actions_; ++a) {
        sum += rest * exponential(logit(a, j) - largest) / every + even;
        store(sum, out_[a] + j);
      }
      const Floats reached = load<Floats>(uniform_ + j) * sum;
      for (std::size_t a = 0; a + 1 < actions_; ++a) chosen += logit(a, j) <= reached ? Floats{} + 1.0F : Floats{};
      store(chosen, chosen_ + j);
    }
  }

  const std::size_t actions_;
  FollowerLook look_;
  RowRoom out_{actions_, kBlock};  // logits, a column a follower
  float uniform_[kBlock] = {}, chosen_[kBlock] = {};
};

/// Puts what those who act see together into blocks: of games that have ended, and of followers that decide by rule,
/// nothing needs to be computed.
class ActingAlone {
 public:
  ActingAlone(const ActingSizes& sizes, const FollowerStepArrays& arrays)
      : s_(sizes), arrays_(arrays), own_(kBlock * s_.follower_features), goal_(kBlock * seen()) {}

  void play(FollowerStep& step) {
    for (std::size_t row = 0; row < s_.games * s_.followers; ++row) {
      arrays_.action[row] = 0;
      if (arrays_.acts[row]) take(row);
      if (count_ == kBlock) play_block(step);
    }
    if (count_ > 0) play_block(step);
  }

 private:
  static constexpr std::size_t kBlock = FollowerLook::kBlock;

  std::size_t seen() const { return s_.goals * s_.goal_features; }

  void take(std::size_t row) {
    std::copy_n(arrays_.own + row * s_.follower_features, s_.follower_features,
                own_.data() + count_ * s_.follower_features);
    std::copy_n(arrays_.goal + row * seen(), seen(), goal_.data() + count_ * seen());
    identity_[count_] = arrays_.identity[row];
    if (arrays_.uniform != nullptr) uniform_[count_] = arrays_.uniform[row];
    row_[count_++] = row;
  }
  void play_block(FollowerStep& step) {
    FollowerStepArrays some = arrays_;
    some.action = action_;
    if (arrays_.uniform != nullptr) some.uniform = uniform_;
    step.play({count_, own_.data(), goal_.data(), identity_}, some, 0);
    for (std::size_t i = 0; i < count_; ++i) arrays_.action[row_[i]] = action_[i];
    count_ = 0;
  }

  const ActingSizes& s_;
  const FollowerStepArrays& arrays_;
  std::size_t count_ = 0;
  // Of the block that is put together.
  std::vector<float> own_, goal_;
  float uniform_[kBlock] = {};
  std::int64_t identity_[kBlock] = {}, action_[kBlock] = {};
  std::size_t row_[kBlock] = {};
};

inline void play(const FollowerWeights& weights, const ActingSizes& sizes, const FollowerStepArrays& arrays) {
  FollowerStep step(weights, sizes);
  const std::size_t every = sizes.games * sizes.followers;
  const bool* acts = arrays.acts;
  if (acts != nullptr && !std::all_of(acts, acts + every, [](bool one) { return one; }))
    return ActingAlone(sizes, arrays).play(step);
  for (std::size_t first = 0; first < every; first += FollowerLook::kBlock)
    step.play({std::min(FollowerLook::kBlock, every - first), arrays.own + first * sizes.follower_features,
               arrays.goal + first * sizes.goals * sizes.goal_features, arrays.identity + first},
              arrays, first);
}

}  // namespace
}  // namespace paymaster
