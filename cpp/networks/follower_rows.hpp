// What followers that learn saw and did, laid out for panels (panel.hpp) that are used many times. Local to the file that
// includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "networks/follower_update.hpp"
#include "networks/learned.hpp"

namespace paymaster {
namespace {

/// The steps that count, kColumns to a panel, the last panel filled up with zeros. A panel has a column for each step, or
/// one for each goal type and step, those of one goal type together.
class FollowerRows {
 public:
  static constexpr std::size_t kColumns = 32;

  explicit FollowerRows(const ActingSizes& sizes) : s_(sizes), goal_width_(padded(sizes.goal_features)) {}

  void take(const FollowerSteps& steps) {
    const std::size_t f = s_.follower_features, d = s_.goal_features, kinds = s_.goals * kColumns;
    every_ = steps.steps * steps.seats;
    step_.clear(), identity_.clear(), action_.clear();
    for (std::size_t i = 0; i < every_; ++i) {
      if (!steps.acts[i]) continue;
      step_.push_back(i);
      identity_.push_back(steps.identity[i % steps.seats]);
      action_.push_back(static_cast<std::size_t>(steps.action[i]));
    }
    own_.assign(panels() * f * kColumns, 0.0F);
    goal_.resize(panels() * d * kinds);
    goal_rows_.assign(panels() * kinds * goal_width_, 0.0F);
    std::vector<float> some(kColumns * f);
    for (std::size_t panel = 0; panel < panels(); ++panel) {
      float* goals = goal_rows_.data() + panel * kinds * goal_width_;
      for (std::size_t i = 0; i < count(panel); ++i) {
        const std::size_t from = step(panel, i);
        std::copy_n(steps.own + from * f, f, some.data() + i * f);
        for (std::size_t g = 0; g < s_.goals; ++g)
          std::copy_n(steps.goal + (from * s_.goals + g) * d, d, goals + (g * kColumns + i) * goal_width_);
      }
      transpose(some.data(), f, count(panel), f, own_.data() + panel * f * kColumns, kColumns);
      transpose(goals, goal_width_, kinds, d, goal_.data() + panel * d * kinds, kinds);
    }
  }

  std::size_t every() const { return every_; }  // T B N
  std::size_t rows() const { return step_.size(); }
  std::size_t panels() const { return (rows() + kColumns - 1) / kColumns; }
  std::size_t count(std::size_t panel) const { return std::min(kColumns, rows() - panel * kColumns); }

  /// Of the i-th column: which of [T, B, N] it is, who it was and what was chosen.
  std::size_t step(std::size_t panel, std::size_t i) const { return step_[panel * kColumns + i]; }
  std::size_t identity(std::size_t panel, std::size_t i) const {
    return static_cast<std::size_t>(identity_[panel * kColumns + i]);
  }
  std::size_t action(std::size_t panel, std::size_t i) const { return action_[panel * kColumns + i]; }

  const float* own(std::size_t panel) const { return own_.data() + panel * s_.follower_features * kColumns; }
  const float* goal(std::size_t panel) const { return goal_.data() + panel * s_.goal_features * s_.goals * kColumns; }
  /// goal() the other way round, its rows padded.
  const float* goal_turned(std::size_t panel) const {
    return goal_rows_.data() + panel * s_.goals * kColumns * goal_width_;
  }

 private:
  const ActingSizes s_;
  const std::size_t goal_width_;
  std::size_t every_ = 0;
  std::vector<std::size_t> step_, action_;
  std::vector<std::int64_t> identity_;
  std::vector<float> own_, goal_, goal_rows_;  // [panels, F, columns], [panels, D, G columns], [panels, G columns, D]
};

}  // namespace
}  // namespace paymaster
