// What a leader may spend in an episode: a budget, and a cap on payments as a share of the revenue so far.
//
// What may still have to be paid is reserved: by a running contract where it is paid on completion, by an offer that stands
// where outcomes are paid. An offer fits if its price is left beside all reservations; under the cap a contract needs only
// what its own w does not cover.
#pragma once

#include <algorithm>
#include <limits>

#include "game/contract.hpp"

namespace paymaster {

/// Money of an episode so far. Sums of prices and rewards as they were given, not as float32.
struct Ledger {
  double paid = 0;     // bonuses
  double revenue = 0;  // w of completed contracts
};

class Limits {
 public:
  explicit Limits(const GameConfig& config)
      : economy_(config), budget_(config.budget), share_(config.max_share), opening_(config.opening_sum) {
    for (int b = 0; b < config.num_bonuses; ++b) price_[b + 1] = config.price_of(b);
    for (int g = 0; g < config.num_goals; ++g) reward_[g] = config.reward_of(g);
    highest_ = price_[config.num_bonuses];
  }

  bool budgeted() const { return budget_ < kEndless; }
  bool capped() const { return share_ < kEndless; }
  bool any() const { return budgeted() || capped(); }
  double budget() const { return budget_; }

  /// As given, where games pay float32.
  double price(int bonus) const { return price_[bonus + 1]; }
  double reward(int goal) const { return reward_[goal]; }

  /// An amount under each of the two limits.
  struct Amount {
    double budget = 0, share = 0;
    Amount& operator+=(const Amount& other) {
      budget += other.budget, share += other.share;
      return *this;
    }
    Amount& operator-=(const Amount& other) {
      budget -= other.budget, share -= other.share;
      return *this;
    }
  };

  /// What is left with nothing reserved.
  Amount left(const Ledger& ledger) const {
    return {budgeted() ? budget_ - ledger.paid : kEndless,
            capped() ? share_ * ledger.revenue + opening_ - ledger.paid : kEndless};
  }
  /// What is left beside the reservations of n followers.
  Amount left(const Ledger& ledger, const Follower* followers, int n) const {
    Amount left = this->left(ledger);
    for (int k = 0; k < n; ++k) left -= held(followers[k]);
    return left;
  }
  /// Whether something is reserved for the follower.
  bool holds_for(const Follower& f) const {
    if (economy_.rule == Payment::completion) return f.contract_running;
    return economy_.rule == Payment::outcome && f.offer.goal != kNone && f.completed == kNone;
  }
  /// What is reserved for it.
  Amount held(const Follower& f) const { return holds_for(f) ? reservation(f.offer) : Amount{}; }
  /// What taking the offer would reserve, or pay at once.
  Amount asked(const Follower& f, Offer offer) const {
    if (!economy_.in_advance) return reservation(offer);
    return due_when_taken(f, offer, economy_) > 0 ? Amount{price(offer.bonus), price(offer.bonus)} : Amount{};
  }
  /// Whether the offer fits in what is left beside the reservations of others. One that goes on does.
  bool fits(const Follower& f, Offer offer, const Amount& left) const {
    if (offer.goal == kNone || (holds_for(f) && offer == f.offer)) return true;
    const Amount needed = asked(f, offer);
    return within(needed.budget, left.budget, budget_) && within(needed.share, left.share, 0);
  }
  /// Whether what is reserved and paid keeps the limits.
  bool kept(const Ledger& ledger, const Follower* followers, int n) const {
    const Amount rest = left(ledger, followers, n);
    return within(0, rest.budget, budget_) && within(0, rest.share, share_ * ledger.revenue + opening_);
  }

 private:
  static constexpr double kEndless = std::numeric_limits<double>::infinity();

  Amount reservation(Offer offer) const {
    const double p = price(offer.bonus);
    return {p, capped() ? std::max(0.0, p - share_ * reward(offer.goal)) : 0.0};
  }
  /// To a part in 10^9 of the limit and of the highest price, since sums are rounded.
  bool within(double needed, double left, double limit) const {
    return left == kEndless || needed <= left + 1e-9 * (limit + highest_);
  }

  Economy economy_;
  double budget_, share_, opening_;
  double highest_ = 0;
  double price_[kMaxBonuses + 1] = {};
  double reward_[kMaxGoals] = {};
};

}  // namespace paymaster
