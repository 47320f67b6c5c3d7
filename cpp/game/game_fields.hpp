// What is seen of a game, and what can be set: each field with its name, meaning, shape, and bounds.
//
// A visitor is called as field(name, meaning, shape, range, get), or for the state as field(name, meaning, shape, type,
// get, set); fields.hpp has the shapes and ranges.
//
// Longer than other files: it is a list.
#pragma once

#include <limits>

#include "game/game.hpp"

namespace paymaster {

inline constexpr double kMostShown = 1e6;   // of what is left, in the observation
inline constexpr double kMostMoney = 1e15;  // sums of an episode that can be set; cents are still told apart

/// The fields of a step's results.
template <class World>
template <class Visitor>
inline void Game<World>::results(const Step& step, Visitor&& field) const {
  const Shape followers{n_, 0};
  const double most = economy_.highest_price;  // paid to a follower by its contract
  const bool plain = !own_objective_;
  field("reward",
        plain ? "the leader's reward: w for each completed contract, less the bonuses paid"
              : "the leader's reward: the weighted sum of its gain, of welfare and of the change in equality",
        Shape{}, pays_ || !plain ? Range<double>() : Range<double>(-most * n_, n_ * double{economy_.highest_reward}),
        [&](int, int) { return step.reward; });
  field("terminated", "the episode is over", Shape{}, Range<bool>(), [&](int, int) { return step.terminated; });
  field("committed", "the follower took its offer", followers, Range<bool>(),
        [&](int k, int) { return step.committed[k]; });
  field("completed", "goal type of the contract it completed, -1 for none", followers,
        Whole(kNone, config_.num_goals - 1), [&](int k, int) { return step.completed[k]; });
  field("payment", "bonus paid to it", followers, Real(0, most), [&](int k, int) { return step.payment[k]; });
  field("follower_reward", "its own reward", followers, followers_may_pay() ? Real() : Real(0, most + kMaxReservation),
        [&](int k, int) { return step.follower_reward[k]; });
  field("follower_action", "its primitive action, -1 where the game was not played", followers,
        Whole(kNone, actions() - 1), [&](int k, int) { return step.action[k]; });
  if (limited_) results_of_limits<Visitor>(step, field);
}

/// Those of limited means. (Apart, as the next one's: rare fields would keep the others from being compiled in line.)
template <class World>
template <class Visitor>
[[gnu::noinline]] inline void Game<World>::results_of_limits(const Step& step, Visitor field) const {
  field("refused", "its offer was beyond the leader's means", Shape{n_, 0}, Range<bool>(),
        [&](int k, int) { return step.refused[k]; });
}

/// The fields of an episode's sums so far.
template <class World>
template <class Visitor>
inline void Game<World>::totals(const State& s, Visitor&& field) const {
  using Count = Range<std::int32_t>;
  const auto& sum = s.totals;
  const double no_end = std::numeric_limits<double>::infinity();
  field("gain", !own_objective_ ? "the leader's reward" : "the leader's revenue less the bonuses paid", Shape{},
        Real(-no_end, no_end), [&](int, int) { return sum.gain; });
  field("payments", "bonuses paid", Shape{}, Real(0, no_end), [&](int, int) { return sum.payments; });
  field("incentive", "bonuses paid for completed contracts", Shape{}, Real(0, no_end),
        [&](int, int) { return sum.incentive; });
  field("follower_reward", "reward of all followers together", Shape{}, Real(followers_may_pay() ? -no_end : 0, no_end),
        [&](int, int) { return sum.follower_reward; });
  field("new_offers", "|A_T|, new offers, the first ones included", Shape{}, Count::from(0),
        [&](int, int) { return sum.new_offers; });
  field("length", "steps", Shape{}, Count(0, config_.horizon), [&](int, int) { return sum.length; });
  field("completions", "completed contracts of each goal type", Shape{config_.num_goals, 0}, Count::from(0),
        [&](int g, int) { return sum.completions[g]; });
  if (own_objective_) totals_of_objective<Visitor>(s, field);
}

/// Those of an objective of its own.
template <class World>
template <class Visitor>
[[gnu::noinline]] inline void Game<World>::totals_of_objective(const State& s, Visitor field) const {
  const auto& sum = s.totals;
  const double no_end = std::numeric_limits<double>::infinity();
  field("welfare", "everybody's rewards together: payments cancel out", Shape{}, Real(-no_end, no_end),
        [&](int, int) { return sum.welfare; });
  field("objective", "what the leader has been rewarded", Shape{}, Real(-no_end, no_end),
        [&](int, int) { return sum.objective; });
  if (objective_.equality == 0) return;
  field("equality", "of the followers' rewards: 1 - Gini index, or the least of them", Shape{}, Real(-no_end, no_end),
        [&](int, int) { return static_cast<float>(equality(s)); });
}

/// The fields of what followers know of themselves and of the offers made to them.
template <class World>
template <class Visitor>
inline void Game<World>::follower_view(const State& s, const Offer* offers, Visitor&& field) const {
  const Shape followers{n_, 0};
  const int goals = config_.num_goals;
  Offer affordable[kMaxFollowers];
  if (limited_) {
    const Limits::Amount left = this->left(s);
    for (int k = 0; k < n_; ++k) affordable[k] = refused_at_once(s, k, offers[k], left) ? Offer{} : offers[k];
    offers = affordable;
  }
  field("offered", "the offer (goal, bonus), (-1, -1) for none", Shape{n_, 2}, offer_range(),
        [&](int k, int part) { return part == 0 ? offers[k].goal : offers[k].bonus; });
  field("acts", "its action is used in this step: it learns, and the game goes on", followers, Range<bool>(),
        [&](int k, int) { return acts(s, k) && !s.done; });
  field("skill", "true where it can complete the goal type", Shape{n_, goals}, Range<bool>(),
        [&](int k, int g) { return holds(s.follower[k].skill, g); });
  field("preference", "its preferred goal type", followers, Whole(0, goals - 1),
        [&](int k, int) { return s.follower[k].preference; });
  field("reservation", "c, what it earns by itself for its preferred goal", followers, Real(0, kMaxReservation),
        [&](int k, int) { return s.follower[k].reservation; });
  field("due", "bonus paid at once if it takes the offer now", followers, Real(0, economy_.highest_price),
        [&](int k, int) { return due_when_taken(s.follower[k], offers[k], economy_); });
  if (!choosy_) return;
  field("utility", "what it earns by itself for reaching each goal type, beside c", Shape{n_, goals},
        Real(-kMaxPrice, kMaxPrice), [&](int k, int g) { return population_.utility(s.follower[k].identity, g); });
  field("cost", "what each step of going for a goal type costs it", Shape{n_, goals}, Real(0, kMaxPrice),
        [&](int k, int g) { return population_.cost(s.follower[k].identity, g); });
}

/// The observation's fields: what the leader may know, never the followers' traits.
template <class World>
template <class Visitor>
inline void Game<World>::observe(const State& s, Visitor&& field) const {
  const Shape followers{n_, 0};
  const int goals = config_.num_goals;
  const auto identity = [&](int k, int) { return s.follower[k].identity; };
  const char* const who = "who the follower is, 0..P-1";
  if (wide_identities(population_.size()))
    field("identity", who, followers, Range<std::int32_t>(0, population_.size() - 1), identity);
  else field("identity", who, followers, Whole(0, population_.size() - 1), identity);
  field("action", "its last primitive action, -1 at the start", followers, Whole(kNone, actions() - 1),
        [&](int k, int) { return s.follower[k].action; });
  field("offer", "its last offer (goal, bonus), (-1, -1) for none", Shape{n_, 2}, offer_range(),
        [&](int k, int part) { return part == 0 ? s.follower[k].offer.goal : s.follower[k].offer.bonus; });
  field("committed", "1 if it was committed to that offer", followers, Whole(0, 1),
        [&](int k, int) { return s.follower[k].committed; });
  field("contract_running", "1 if it has a running contract", followers, Whole(0, 1),
        [&](int k, int) { return s.follower[k].contract_running; });
  field("contract_age", "steps that contract has run", followers, Whole(0, config_.horizon),
        [&](int k, int) { return s.follower[k].contract_age; });
  field("completed", "goal type of the contract it completed in the last step, -1 for none", followers,
        Whole(kNone, goals - 1), [&](int k, int) { return s.follower[k].completed; });
  const auto distance = [&] {
    if constexpr (requires { world_.distances(s.world); })
      return InOrder<std::int16_t>{world_.distances(s.world), goals};
    else return [&](int k, int g) { return world_.distance(s.world, k, g); };
  };
  field("distance", "actions its planner needs before the one that reaches each goal type, -1 unreachable",
        Shape{n_, goals}, Whole::from(kNone), distance());
  if (config_.observe_routes) {
    field("route", "primitive action its planner plays towards each goal type; where unreachable, how it stops",
          Shape{n_, goals}, Whole(0, actions() - 1), [way = routes(s)](int k, int g) { return way.first[g][k]; });
  }
  field("available", "goals of each type that are there and unclaimed", Shape{goals, 0}, Whole(0, goal_objects_),
        [&](int g, int) { return world_.available(s.world, g); });
  field("step", "t, steps played", Shape{}, Whole(0, config_.horizon), [&](int, int) { return s.step; });
  if (limited_) {
    const Limits::Amount left = this->left(s);
    field("refused", "1 if its last offer was beyond the leader's means", followers, Whole(0, 1),
          [&](int k, int) { return s.follower[k].refused; });
    const auto shown = [](double amount) { return static_cast<float>(std::clamp(amount, 0.0, kMostShown)); };
    if (limits_.budgeted())
      field("budget_left", "what is left of the budget beside all reservations", Shape{},
            Real(0, static_cast<double>(shown(limits_.budget()))), [&](int, int) { return shown(left.budget); });
    if (limits_.capped())
      field("share_left", "what is left under the cap on the share of the revenue beside all reservations", Shape{},
            Real(0, kMostShown), [&](int, int) { return shown(left.share); });
  }
  world_.observe(s.world, field);
}

/// The state's fields, to read and to set. Setters check ranges; validate() checks the rest.
template <class World>
template <class Visitor>
inline void Game<World>::visit(State& s, Visitor&& field) const {
  const Shape followers{n_, 0};
  using I = std::int32_t;
  const auto set_part = [&](std::int8_t& part, I value, int count, const char* name) {
    expect_range(value, kNone, count - 1, name);
    part = static_cast<std::int8_t>(value);
  };
  field(
      "identity", "who the follower is, 0..P-1", followers, I{}, [&](int k, int) { return s.follower[k].identity; },
      [&](int k, int, I v) {
        expect_range(v, 0, population_.size() - 1, "identity");
        s.follower[k].identity = static_cast<std::uint16_t>(v);
      });
  field(
      "skill", "true where the follower can complete the goal type", Shape{n_, config_.num_goals}, bool{},
      [&](int k, int g) { return holds(s.follower[k].skill, g); },
      [&](int k, int g, bool v) {
        GoalSet& skill = s.follower[k].skill;
        skill = v ? skill | set_of(g) : skill & ~set_of(g);
      });
  field(
      "preference", "its preferred goal type", followers, I{}, [&](int k, int) { return s.follower[k].preference; },
      [&](int k, int, I v) {
        expect_range(v, 0, config_.num_goals - 1, "preference");
        s.follower[k].preference = static_cast<std::uint8_t>(v) & 0x3f;
      });
  field(
      "reservation", "c, what it earns by itself for its preferred goal", followers, float{},
      [&](int k, int) { return s.follower[k].reservation; },
      [&](int k, int, float v) {
        expect_range(v, 0.0f, kMaxReservation, "reservation");
        s.follower[k].reservation = v;
      });
  field(
      "learns", "its actions come from outside, where followers are not rule-based", followers, bool{},
      [&](int k, int) { return s.follower[k].learns; }, [&](int k, int, bool v) { s.follower[k].learns = v & 1; });
  field(
      "offer", "its last offer (goal, bonus), (-1, -1) for none", Shape{n_, 2}, I{},
      [&](int k, int part) { return part == 0 ? s.follower[k].offer.goal : s.follower[k].offer.bonus; },
      [&](int k, int part, I v) {
        part == 0 ? set_part(s.follower[k].offer.goal, v, config_.num_goals, "offer goal")
                  : set_part(s.follower[k].offer.bonus, v, config_.num_bonuses, "offer bonus");
      });
  field(
      "committed", "it was committed to that offer in the last step", followers, bool{},
      [&](int k, int) { return s.follower[k].committed; }, [&](int k, int, bool v) { s.follower[k].committed = v; });
  field(
      "action", "its last primitive action, -1 at the start", followers, I{},
      [&](int k, int) { return s.follower[k].action; },
      [&](int k, int, I v) { set_part(s.follower[k].action, v, actions(), "action"); });
  field(
      "completed", "goal type of the contract it completed in the last step, -1 for none", followers, I{},
      [&](int k, int) { return s.follower[k].completed; },
      [&](int k, int, I v) { set_part(s.follower[k].completed, v, config_.num_goals, "completed"); });
  field(
      "contract_running", "it has a running contract for that offer", followers, bool{},
      [&](int k, int) { return s.follower[k].contract_running; },
      [&](int k, int, bool v) { s.follower[k].contract_running = v; });
  field(
      "contract_age", "steps that contract has run, 0 without one", followers, I{},
      [&](int k, int) { return s.follower[k].contract_age; },
      [&](int k, int, I v) {
        expect_range(v, 0, config_.horizon, "contract_age");
        s.follower[k].contract_age = static_cast<std::int16_t>(v);
      });
  field(
      "dropped", "it left a contract for that offer uncompleted, and has not taken it up again", followers, bool{},
      [&](int k, int) { return s.follower[k].dropped; }, [&](int k, int, bool v) { s.follower[k].dropped = v; });
  const auto sum = [&](const char* name, const char* meaning, double& member, double low) {
    field(
        name, meaning, Shape{}, double{}, [&member](int, int) { return member; },
        [&member, name, low](int, int, double v) {
          expect_range(v, low, kMostMoney, name);
          member = v;
        });
  };
  if (limited_) {
    field(
        "refused", "its offer of the last step was beyond the leader's means", followers, bool{},
        [&](int k, int) { return s.follower[k].refused; }, [&](int k, int, bool v) { s.follower[k].refused = v & 1; });
    sum("paid", "bonuses paid in the episode, as the limits count them", s.ledger.paid, 0);
    sum("revenue", "w of contracts completed in the episode, as the limits count them", s.ledger.revenue, 0);
  }
  if (objective_.equality != 0) {
    field(
        "earned", "the follower's rewards of the episode so far", followers, double{},
        [&](int k, int) { return s.follower[k].earned; },
        [&](int k, int, double v) {
          expect_range(v, -kMostMoney, kMostMoney, "earned");
          s.follower[k].earned = v;
        });
  }
  field(
      "step", "t, steps played", Shape{}, I{}, [&](int, int) { return s.step; },
      [&](int, int, I v) {
        expect_range(v, 0, config_.horizon, "step");
        s.step = v;
      });
  field(
      "episode", "number of the episode, a key of its random numbers", Shape{}, std::int64_t{},
      [&](int, int) { return s.episode; },
      [&](int, int, std::int64_t v) {
        expect_range(v, std::int64_t{0}, kEpisodes - 1, "episode");
        s.episode = v;
      });
  field(
      "done", "the episode is over", Shape{}, bool{}, [&](int, int) { return s.done; },
      [&](int, int, bool v) { s.done = v; });
  world_.visit(s.world, field);
}

/// Throws std::invalid_argument when a state set from outside breaks an invariant.
template <class World>
inline void Game<World>::validate(const State& s) const {
  for (int k = 0; k < n_; ++k) {
    const Follower& f = s.follower[k];
    const std::string who = " (follower " + std::to_string(k) + ")";
    for (int j = 0; j < k; ++j)
      expect(f.identity != s.follower[j].identity, "identity" + who, "different followers", f.identity);
    expect((f.offer.goal == kNone) == (f.offer.bonus == kNone), "offer" + who, "goal and bonus both given, or both -1",
           "(" + std::to_string(f.offer.goal) + ", " + std::to_string(f.offer.bonus) + ")");
    expect(!f.committed || f.offer.goal != kNone, "committed" + who, "false without an offer", "true");
    expect(!f.contract_running || f.committed, "contract_running" + who, "false when not committed", "true");
    expect(f.contract_running ? f.contract_age <= s.step : f.contract_age == 0, "contract_age" + who,
           "0 without a running contract, else at most step", f.contract_age);
    expect(!f.dropped || (f.offer.goal != kNone && !f.committed), "dropped" + who,
           "false without an offer, and when committed", "true");
    expect(!f.refused || f.offer.goal == kNone, "refused" + who, "false with an offer", "true");
  }
  expect(!limited_ || limits_.kept(s.ledger, s.follower, n_), "paid",
         "within budget and max_share, together with what is reserved", number_text(s.ledger.paid));
  expect(s.done == over(s), "done", over(s) ? "true (nothing is left or step = horizon)" : "false (it can go on)",
         s.done ? "true" : "false");
  world_.validate(s.world);
}

}  // namespace paymaster
