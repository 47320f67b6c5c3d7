#include "support/rules.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace paymaster::test {

std::string broken_rule_of_decisions(const PlayedStep& s) {
  for (int k = 0; k < s.config.num_followers; ++k) {
    const Offer offer = s.offer(k);
    const bool committed = s.takes_offer(k);
    if (s.committed[k] != committed) return of_follower("committed to a strict winner", k);
    if (s.after_is_next_episode) continue;
    if (s.after.committed[k] != committed) return of_follower("the state has another commitment", k);
    if (s.after.offer[2 * k] != offer.goal || s.after.offer[2 * k + 1] != offer.bonus)
      return of_follower("the offer held", k);
  }
  return "";
}

std::string broken_rule_of_money(const PlayedStep& s) {
  double reward = 0;
  for (int k = 0; k < s.config.num_followers; ++k) {
    const Offer offer = s.offer(k);
    const unsigned reached = s.reached[static_cast<std::size_t>(k)];
    for (int g = 0; g < s.config.num_goals; ++g) {
      if ((reached >> g & 1) && !s.has_skill(k, g)) return of_follower("reached what it has no skill for", k);
    }
    const bool started = s.committed[k] && !s.before.running_offer(k, offer.goal, offer.bonus);
    const bool there = offer.goal != kNone && (reached >> offer.goal & 1);
    const bool completes = s.committed[k] && there;
    const bool counts = s.config.payment == "outcome" ? there : completes;
    if (s.completed[k] != (counts ? offer.goal : kNone)) return of_follower("completed what it was committed to", k);
    const bool same = s.before.offer[2 * k] == offer.goal && s.before.offer[2 * k + 1] == offer.bonus;
    const bool again = same && s.before.dropped[k];
    const bool pays = s.config.payment == "completion" || s.config.payment == "outcome" ? counts
                      : s.config.payment == "advance"                                   ? started
                                                                                        : started && !again;
    const float bonus = offer.goal == kNone ? 0.0f : static_cast<float>(s.config.price_of(offer.bonus));
    if (s.payment[k] != (pays ? bonus : 0.0f)) return of_follower("the payment rule", k);
    const float own = reached >> s.before.preference[k] & 1 ? s.before.reservation[k] : 0.0f;
    const float way = s.config.effort_cost > 0 && s.wanted_goal(k) != kNone ? s.cost() : 0.0f;
    if (s.follower_reward[k] != s.payment[k] + own - way)
      return of_follower("gets bonuses and c less its way's cost, nothing else", k);
    reward += (counts ? s.config.reward_of(offer.goal) : 0.0) - static_cast<double>(s.payment[k]);
    if (s.after_is_next_episode) continue;
    if (s.after.completed[k] != s.completed[k]) return of_follower("the state holds another completion", k);
    const bool runs = s.committed[k] && !completes;
    const int age = !runs ? 0 : started ? 1 : s.before.contract_age[k] + 1;
    if (s.after.contract_running[k] != runs || s.after.contract_age[k] != age)
      return of_follower("contract and its age", k);
    const bool dropped = same && !s.committed[k] && (s.before.dropped[k] || s.before.contract_running[k]);
    if (s.after.dropped[k] != dropped) return of_follower("a contract that was dropped", k);
  }
  return s.reward == reward ? "" : "the leader's reward is w a completed contract less what it pays";
}

std::string broken_rule_of_silence(const PlayedStep& s, bool next_episode) {
  if (s.terminated == next_episode) return "terminated until it is reset";
  if (s.reward != 0) return "a reward without a game";
  if (*s.after.episode != *s.before.episode + next_episode) return "the number of the episode";
  if (*s.after.step != (next_episode ? 0 : *s.before.step)) return "the step counter";
  if (*s.after.done == next_episode) return "done until it is reset";
  for (int k = 0; k < s.config.num_followers; ++k) {
    if (s.committed[k] || s.completed[k] != kNone || s.action[k] != kNone || s.payment[k] != 0 ||
        s.follower_reward[k] != 0)
      return of_follower("reports something though it did not play", k);
    if (!next_episode) continue;
    if (s.after.offer[2 * k] != kNone || s.after.contract_running[k]) return of_follower("starts with an offer", k);
  }
  return "";
}

void Ledger::add(const PlayedStep& s) {
  gain += s.reward;
  ++length;
  costly = costly || s.config.effort_cost > 0;
  for (int k = 0; k < s.config.num_followers; ++k) {
    const Offer offer = s.offer(k);
    payments += static_cast<double>(s.payment[k]);
    follower_reward += static_cast<double>(s.follower_reward[k]);
    new_offers += length == 1 || s.before.offer[2 * k] != offer.goal || s.before.offer[2 * k + 1] != offer.bonus;
    if (s.completed[k] == kNone) continue;
    incentive += s.config.price_of(offer.bonus);
    revenue += s.config.reward_of(offer.goal);
    ++completions[static_cast<std::size_t>(s.completed[k])];
  }
}

std::string Ledger::broken_limit(const GameConfig& config) const {
  if (payments > config.budget) return "paid beyond the budget";
  if (config.max_share == std::numeric_limits<double>::infinity()) return "";
  return payments > config.max_share * revenue + config.opening_sum ? "paid beyond the share of the revenue" : "";
}

bool Ledger::agrees(const Results& r, int game, int goals) const {
  const auto i = static_cast<std::size_t>(game);
  const auto same_number = [](double a, float b) { return a == static_cast<double>(b); };
  // What a step costs a follower is no exact float, and the core adds up floats.
  const double earned = static_cast<double>(r.total_follower_reward[i]);
  const bool near = std::abs(follower_reward - earned) <= 1e-4 * (1 + std::abs(earned));
  bool same = same_number(gain, r.gain[i]) && same_number(payments, r.payments[i]) &&
              same_number(incentive, r.incentive[i]) && (costly ? near : follower_reward == earned) &&
              new_offers == r.new_offers[i] && length == r.length[i];
  for (std::size_t g = 0; g < static_cast<std::size_t>(goals); ++g)
    same = same && completions[g] == r.completions[i * static_cast<std::size_t>(goals) + g];
  return same;
}

}  // namespace paymaster::test
