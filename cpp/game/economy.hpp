// What offers cost the leader and what they bring, as numbers that a step looks up.
#pragma once

#include <algorithm>

#include "game/config.hpp"
#include "game/types.hpp"

namespace paymaster {

struct Economy {
  explicit Economy(const GameConfig& config)
      : rule(config.payment_rule()), in_advance(rule == Payment::advance || rule == Payment::advance_once) {
    for (int b = 0; b < config.num_bonuses; ++b) price_[b + 1] = static_cast<float>(config.price_of(b));
    for (int g = 0; g < config.num_goals; ++g) reward_[g] = static_cast<float>(config.reward_of(g));
    highest_price = price_[config.num_bonuses];
    highest_reward = *std::max_element(reward_, reward_ + config.num_goals);
  }

  /// What a bonus level pays; 0 without an offer.
  float price(int bonus) const { return price_[bonus + 1]; }
  /// w of a goal type.
  float reward(int goal) const { return reward_[goal]; }

  Payment rule;
  bool in_advance;
  float highest_price, highest_reward;

 private:
  float price_[kMaxBonuses + 1] = {};
  float reward_[kMaxGoals] = {};
};

}  // namespace paymaster
