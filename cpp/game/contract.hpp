// What makes the game *expensive coordination*, the same in every world: offer -> decision -> contract -> payment ->
// rewards. A contract starts when a follower is committed to an offer without a running contract for it, and ends by
// completion, by the offer changing, or by the follower no longer being committed.
#pragma once

#include <cstdint>

#include "game/history.hpp"
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
};

/// One follower's side of the contract layer.
struct Follower {
  GoalSet skill = 0;           // traits, as in Traits
  std::uint16_t identity = 0;  // row of the population and of the statistics table
  std::uint8_t preference : 6 = 0;
  std::uint8_t learns : 1 = 0;   // these two share a byte with the preference
  std::uint8_t dropped : 1 = 0;  // it left a contract for its offer uncompleted, and has not taken it up again
  float reservation = 0;
  Offer offer{};                  // omega^k of the last step
  std::int8_t completed = kNone;  // goal type of the contract completed in the last step
  std::int8_t action = kNone;     // primitive action played in the last step
  bool committed = false;         // in the last step: it took the offered goal
  bool contract_running = false;
  std::int16_t contract_age = 0;  // steps the running contract has run
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
/// u(g) = c [g = preference] + (b + 1) [g = offered]; types with u = 0 are ignored; a tie goes against the offer.
/// At most two types have u > 0, so nothing is left to break at random.
template <class Reachable>
int decide(const Follower& f, Offer offer, Reachable&& reachable) {
  // Without branches: which of them it is cannot be guessed.
  const int preferred = f.preference, offered = offer.goal;
  const bool prefers = (f.reservation > 0) & reachable(preferred);
  const bool can = (offered != kNone) & reachable(offered < 0 ? 0 : offered);
  const bool takes = can & ((offered == preferred) | !prefers | (price(offer.bonus) > f.reservation));
  return takes ? offered : prefers ? preferred : kNone;
}

/// What `f` is paid at once if it takes the offer now: nothing where its contract for it runs on.
inline float due_when_taken(const Follower& f, Offer offer, Payment rule) {
  if (rule == Payment::completion || offer.goal == kNone) return 0;
  const bool known = f.contract_running || (f.dropped && rule == Payment::advance_once);
  return known && offer == f.offer ? 0 : price(offer.bonus);
}

/// Before the world moves: takes the follower's new offer and its decision on it, and starts or ends its contract.
/// Returns the bonus paid now (in advance).
inline float sign_contract(Follower& f, Offer offer, bool committed, bool reachable, Payment rule,
                           HistoryEvent& event) {
  const bool changed = !(offer == f.offer);
  event = HistoryEvent{};
  event.identity = f.identity;
  event.offer = offer;
  event.trial = offer.goal != kNone && reachable && (changed || !f.contract_running);
  event.accepted = committed;
  const float due = due_when_taken(f, offer, rule);
  if (f.contract_running && !changed && !committed) event.ended = f.offer;
  f.dropped = !changed && !committed && (f.dropped || f.contract_running);
  if (changed || !committed) f.contract_running = false;
  f.offer = offer;
  f.committed = committed;
  if (!committed || f.contract_running) return 0;
  f.contract_running = true;
  f.contract_age = 0;
  return due;
}

/// After the world has moved: completes the contract if the follower reached what it was committed to (a goal reached
/// counts for the leader only then, M3RL), and adds up what everybody gets. `reached` are the goal types that it has
/// reached. `paid` is what sign_contract returned.
inline Outcome settle_contract(Follower& f, GoalSet reached, float paid, float goal_reward, Payment rule,
                               bool last_step, HistoryEvent& event) {
  Outcome out;
  out.payment = paid;
  event.age = f.contract_running ? f.contract_age : std::int16_t{kNone};
  if (f.contract_running && holds(reached, f.offer.goal)) {
    out.completed = f.offer.goal;
    out.incentive = price(f.offer.bonus);
    if (rule == Payment::completion) out.payment += out.incentive;
    out.leader_reward += goal_reward;
    f.contract_running = false;
    event.completed = true;
  } else if (f.contract_running) {
    ++f.contract_age;
    if (last_step) event.ended = f.offer;
  }
  if (!f.contract_running) f.contract_age = 0;
  out.leader_reward -= out.payment;
  out.follower_reward = out.payment;
  if (holds(reached, f.preference)) out.follower_reward += f.reservation;
  f.completed = out.completed;
  return out;
}

}  // namespace paymaster
