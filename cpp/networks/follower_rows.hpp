// What followers that learn saw and did in the steps that count, one after the other. Local to the file that includes it
// (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "networks/follower_look.hpp"
#include "networks/follower_update.hpp"

namespace paymaster {
namespace {

class FollowerRows {
 public:
  explicit FollowerRows(const ActingSizes& sizes) : s_(sizes) {}

  void take(const FollowerSteps& steps) {
    every_ = steps.steps * steps.seats;
    step_.clear(), identity_.clear(), action_.clear(), own_.clear(), goal_.clear();
    for (std::size_t i = 0; i < every_; ++i) {
      if (!steps.acts[i]) continue;
      step_.push_back(i);
      identity_.push_back(steps.identity[i % steps.seats]);
      action_.push_back(static_cast<std::size_t>(steps.action[i]));
    }
    for (std::size_t i = 0, next; i < rows(); i = next) {  // what lies together stays together
      for (next = i + 1; next < rows() && step_[next] == step_[next - 1] + 1;) ++next;
      append(steps.own, s_.follower_features, step_[i], next - i, own_);
      append(steps.goal, s_.goals * s_.goal_features, step_[i], next - i, goal_);
    }
  }

  std::size_t every() const { return every_; }  // T B N
  std::size_t rows() const { return step_.size(); }
  /// Of a row: which of [T, B, N] it is, who it was and what was chosen.
  std::size_t step(std::size_t row) const { return step_[row]; }
  std::size_t identity(std::size_t row) const { return static_cast<std::size_t>(identity_[row]); }
  std::size_t action(std::size_t row) const { return action_[row]; }

  /// body(first row, block) for all of them.
  template <class Body>
  void each_block(Body&& body) const {
    for (std::size_t first = 0; first < rows(); first += FollowerLook::kBlock)
      body(first,
           FollowerBlock{std::min(FollowerLook::kBlock, rows() - first), own_.data() + first * s_.follower_features,
                         goal_.data() + first * s_.goals * s_.goal_features, identity_.data() + first});
  }

 private:
  static void append(const float* from, std::size_t width, std::size_t first, std::size_t count,
                     std::vector<float>& to) {
    to.insert(to.end(), from + first * width, from + (first + count) * width);
  }

  const ActingSizes s_;
  std::size_t every_ = 0;
  std::vector<std::size_t> step_, action_;
  std::vector<std::int64_t> identity_;
  std::vector<float> own_, goal_;  // [R, F], [R, G, D]
};

}  // namespace
}  // namespace paymaster
