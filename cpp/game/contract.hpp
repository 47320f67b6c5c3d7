// What makes the game *expensive coordination*, the same in every world: offer -> decision -> contract -> payment ->
// rewards. A contract starts when a follower is committed to an offer without a running contract for it, and ends by
// completion, by the offer changing, or by the follower no longer being committed.
#pragma once

#include <cstdint>

#include "game/economy.hpp"
#include "game/history.hpp"
#include "game/population.hpp"
#include "game/types.hpp"

namespace paymaster {

/// Sums over an episode so far.
template <int MaxGoals>
struct EpisodeTotals {
  float gain = 0;               // leader's reward
  float payments = 0;           // bonuses paid
  float incentive = 0;          // bonuses paid for completed contracts
  float follower_reward = 0;    // of all followers together
  std::int32_t new_offers = 0;  // |A_T|: new offers, the first ones included
  std::int32_t length = 0;      // steps
  std::int32_t completions[MaxGoals] = {};
  float welfare = 0;    // everybody's rewards together, where the objective is not the gain alone
  float objective = 0;  // what the leader has been rewarded, likewise
};

/// One follower's side of the contract layer.
struct Follower {
  GoalSet skill = 0;           // traits, as in Traits
  std::uint16_t identity = 0;  // row of the population and of the statistics table
  std::uint8_t preference : 6 = 0;
  std::uint8_t learns : 1 = 0;   // these two share a byte with the preference
  std::uint8_t refused : 1 = 0;  // its offer of the last step was beyond the leader's means
  bool dropped = false;          // it left a contract for its offer uncompleted, and has not taken it up again
  float reservation = 0;
  Offer offer{};                  // omega^k of the last step
  std::int8_t completed = kNone;  // goal type of the contract completed in the last step
  std::int8_t action = kNone;     // primitive action played in the last step
  bool committed = false;         // in the last step: it took the offered goal
  bool contract_running = false;
  std::int16_t contract_age = 0;  // steps the running contract has run
  double earned = 0;              // its rewards of the episode so far, where equality is in the objective
};

/// What a follower's step came to.
struct Outcome {
  std::int8_t completed = kNone;
  float payment = 0;
  float leader_reward = 0;
  float follower_reward = 0;
  float incentive = 0;
};

/// The goal type a rule-based follower takes, -1 for none (M3RL). `reachable(g)` says whether it can reach type g now.
/// u(g) = c [g = preference] + price [g = offered]; types with u = 0 are ignored; a tie goes against the offer.
/// At most two types have u > 0, so nothing is left to break at random.
template <class Reachable>
int decide(const Follower& f, Offer offer, float price, Reachable&& reachable) {
  // Without branches: which of them it is cannot be guessed.
  const int preferred = f.preference, offered = offer.goal;
  const bool prefers = (f.reservation > 0) & reachable(preferred);
  const bool can = (offered != kNone) & reachable(offered < 0 ? 0 : offered);
  const bool same = offered == preferred;
  const float without = f.reservation * static_cast<float>(prefers);  // u of what it would go for otherwise
  const bool takes = can & ((prefers & same) | (price > without));
  return takes ? offered : prefers ? preferred : kNone;
}

/// The same of followers with tastes of their own: what `member` earns by itself for each goal type, and what the way costs.
/// u(g) = c [g = preference] + utility(g) + price [g = offered] - cost(g) (distance(g) + 1), over types within reach. The best
/// u > 0 wins; a tie goes against the offer, else to the lowest index. `distance(g)` is -1 out of reach.
template <class Distance>
int decide_by_taste(const Follower& f, Offer offer, float price, const Population& people, int goals,
                    Distance&& distance) {
  int best = kNone;
  double most = 0;
  const auto consider = [&](int goal, double added) {
    const int way = distance(goal);
    if (way == kNone) return;
    double u = added + static_cast<double>(goal == f.preference ? f.reservation : 0.0f);
    u += static_cast<double>(people.utility(f.identity, goal));
    u -= static_cast<double>(people.cost(f.identity, goal)) * (way + 1);
    if (u > most) best = goal, most = u;
  };
  for (int goal = 0; goal < goals; ++goal)
    if (goal != offer.goal) consider(goal, 0);
  if (offer.goal != kNone) consider(offer.goal, static_cast<double>(price));
  return best;
}

/// What a follower does about an offer.
struct Answer {
  int goal = kNone;  // the type it goes for
  bool takes = false;
};

/// The answer of a follower that decides on employment (M3RL's crafters). It declines a price of 0, "no employment", and
/// while it can reach what it prefers also a price up to c; then it goes for what it prefers, also where that is what it
/// was offered. Else it takes the offer, or goes for nothing where it cannot reach it. With `squared` c is compared with
/// the price squared.
template <class Reachable>
Answer decide_on_employment(const Follower& f, Offer offer, float price, bool squared, Reachable&& reachable) {
  const double weighed = squared ? static_cast<double>(price) * static_cast<double>(price) : static_cast<double>(price);
  const bool prefers = reachable(f.preference);
  if (offer.goal == kNone || price <= 0 || (prefers && weighed <= static_cast<double>(f.reservation)))
    return {prefers ? int{f.preference} : kNone, false};
  return reachable(offer.goal) ? Answer{offer.goal, true} : Answer{};
}

/// What `f` is paid at once if it takes the offer now: nothing where its contract for it runs on.
inline float due_when_taken(const Follower& f, Offer offer, const Economy& economy) {
  if (!economy.in_advance || offer.goal == kNone) return 0;
  const bool known = f.contract_running || (f.dropped && economy.rule == Payment::advance_once);
  return known && offer == f.offer ? 0 : economy.price(offer.bonus);
}

/// Before the world moves: takes the follower's new offer and its decision on it, and starts or ends its contract.
/// Returns the bonus paid now (in advance).
[[gnu::always_inline]] inline float sign_contract(Follower& f, Offer offer, bool committed, bool reachable,
                                                  const Economy& economy, HistoryEvent& event) {
  const bool changed = !(offer == f.offer);
  event = HistoryEvent{};
  event.identity = f.identity;
  event.offer = offer;
  event.trial = (offer.goal != kNone) & reachable & (changed | !f.contract_running);
  event.accepted = committed;
  const float due = due_when_taken(f, offer, economy);
  const bool drops = !changed & !committed, runs_on = f.contract_running & !changed & committed;
  event.ended = (drops & f.contract_running) ? f.offer : Offer{};
  f.dropped = drops & (f.dropped | f.contract_running);
  f.offer = offer;
  f.committed = committed;
  f.contract_running = committed;
  f.contract_age = runs_on ? f.contract_age : std::int16_t{0};
  return committed ? due : 0.0f;
}

/// After the world has moved: completes the contract if the follower reached what it was committed to (a goal reached
/// counts for the leader only then, M3RL, unless outcomes are paid), and adds up what everybody gets. `reached` are the goal types that it has
/// reached. `paid` is what sign_contract returned.
[[gnu::always_inline]] inline Outcome settle_contract(Follower& f, GoalSet reached, float paid, const Economy& economy,
                                                      bool last_step, HistoryEvent& event) {
  Outcome out;
  out.payment = paid;
  event.age = f.contract_running ? f.contract_age : std::int16_t{kNone};
  const bool there = (f.offer.goal != kNone) & holds(reached, f.offer.goal & (kMaxGoals - 1));
  event.completed = f.contract_running & there;
  f.contract_running &= !there;
  f.contract_age = f.contract_running ? static_cast<std::int16_t>(f.contract_age + 1) : std::int16_t{0};
  if (last_step & f.contract_running) event.ended = f.offer;
  if (event.completed | (there & (economy.rule == Payment::outcome))) {
    out.completed = f.offer.goal;
    out.incentive = economy.price(f.offer.bonus);
    if (!economy.in_advance) out.payment += out.incentive;
    out.leader_reward += economy.reward(f.offer.goal);
  }
  out.leader_reward -= out.payment;
  out.follower_reward = out.payment;
  if (holds(reached, f.preference)) out.follower_reward += f.reservation;
  f.completed = out.completed;
  return out;
}

}  // namespace paymaster
