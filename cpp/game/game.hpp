// One Stackelberg Markov game = a world + an episode's followers + their contracts + a clock.
//
// A Game holds what all games of a batch share (rules, map, population); a game's own state is one flat, trivially
// copyable GameState, so a snapshot is a copy of bytes. Here is what happens in a step; game_fields.hpp has what is
// seen of a game, and what can be set.
//
// Longer than other files: a step is one idea, and its parts that few games use (limits, tastes, objectives) stand in it.
#pragma once

#include <algorithm>
#include <type_traits>

#include "game/check.hpp"
#include "game/contract.hpp"
#include "game/economy.hpp"
#include "game/fields.hpp"
#include "game/limits.hpp"
#include "game/objective.hpp"
#include "game/population.hpp"
#include "game/world.hpp"

namespace paymaster {

template <class World>
struct GameState {
  std::uint64_t seed;
  std::uint64_t environment;  // index of the game, a key of its random numbers
  std::int64_t episode;
  std::int32_t step;
  bool done;
  bool pristine;  // made, but neither reset nor played yet: the first reset starts this very episode
  EpisodeTotals<World::kMaxGoals> totals;
  Ledger ledger;  // kept where a limit is set
  Follower follower[World::kMaxFollowers];
  typename World::State world;
};

/// What a step has come to; the fields that show it are Game::results(). Left empty: most steps fill all of it.
template <int MaxFollowers>
struct StepOutcome {
  double reward;
  bool terminated;
  bool committed[MaxFollowers];
  bool refused[MaxFollowers];
  std::int8_t completed[MaxFollowers];
  float payment[MaxFollowers];
  float follower_reward[MaxFollowers];
  std::int8_t action[MaxFollowers];
};

template <class World>
class Game {
 public:
  using State = GameState<World>;
  using Step = StepOutcome<World::kMaxFollowers>;
  static_assert(std::is_trivially_copyable_v<State>);
  static constexpr int kMaxFollowers = World::kMaxFollowers;

  Game(const GameConfig& config, Population population, World world)
      : config_(config),
        population_(std::move(population)),
        world_(std::move(world)),
        n_(config.num_followers),
        economy_(config),
        limits_(config),
        objective_(config),
        kind_(config.follower_kind()),
        decision_(config.decision_rule()),
        goal_objects_(World::goal_objects(config)) {
    look_at_kind();
  }

  const GameConfig& config() const { return config_; }
  const Population& population() const { return population_; }
  /// Of the same size. Episodes that have been drawn keep their followers' traits.
  void set_population(Population population) {
    population_ = std::move(population);
    look_at_kind();
  }
  /// Whether a follower's reward may be negative.
  bool followers_may_pay() const { return pays_ || choosy_; }
  const World& world() const { return world_; }

  /// Starts episode `s.episode`: draws its followers, then its world.
  void reset(State& s) const {
    Draws draws(s.seed, Stream::reset, 0, static_cast<std::uint64_t>(s.episode), s.environment);
    std::uint16_t identity[kMaxFollowers];
    draw_team(draws, identity);
    for (int k = 0; k < n_; ++k) {
      const Traits& traits = population_[identity[k]];
      s.follower[k] = Follower{};
      s.follower[k].identity = identity[k];
      s.follower[k].skill = traits.skill;
      s.follower[k].preference = traits.preference & 0x3f;
      s.follower[k].reservation = traits.reservation;
      s.follower[k].learns = traits.learns & 1;
    }
    if (config_.new_preferences) {
      for (int k = 0; k < n_; ++k)
        s.follower[k].preference = draws.below(static_cast<std::uint32_t>(config_.num_goals)) & 0x3f;
    }
    s.step = 0;
    s.done = false;
    s.totals = {};
    s.ledger = {};
    world_.reset(s.world, draws);
    world_.refresh(s.world);
  }

  /// Whether follower k acts from outside: it learns, in a game whose followers are not rule-based.
  bool acts(const State& s, int k) const { return kind_ != Followers::rule && s.follower[k].learns; }

  /// How many actions a follower that acts() has: goal types and "stop", or primitive actions.
  int choices() const { return kind_ == Followers::primitive ? actions() : config_.num_goals + 1; }

  /// One step: offers[N] -> decisions and contracts -> primitive actions -> world -> clock, payments and rewards.
  /// `follower_actions`[N] counts for those that acts(); null with rule-based followers.
  void step(State& s, const Offer* offers, const std::int32_t* follower_actions, Step& out,
            HistoryEvent* events) const {
    std::int8_t chosen[kMaxFollowers], committed[kMaxFollowers];
    std::uint8_t actions[kMaxFollowers];
    GoalSet skill[kMaxFollowers], reached[kMaxFollowers];
    float paid[kMaxFollowers], wages[pays_ ? kMaxFollowers : 1];
    respond(s, offers, follower_actions, chosen, paid, events);
    world_.plan(s.world, chosen, actions);
    override_actions(s, follower_actions, actions);
    Earned earned{wages};
    const MoveContext context = context_of(s, chosen, actions, skill, committed);
    if constexpr (pays_) {
      std::fill_n(wages, n_, 0.0f);
      world_.move(s.world, context, reached, earned);
    } else {
      world_.move(s.world, context, reached);
    }
    settle(s, chosen, actions, reached, paid, earned, out, events);
    world_.refresh(s.world);
  }

  // The phases of a step, for a world that moves all games of a batch at once.

  /// Followers decide on their offers; contracts start and end.
  void respond(State& s, const Offer* offers, const std::int32_t* follower_actions, std::int8_t* chosen, float* paid,
               HistoryEvent* events) const {
    // Most games have neither limits nor tastes, and decide by utility. Their steps are compiled apart, so that others cost them nothing.
    if (limited_ | choosy_ | employed_) respond_by<false>(s, offers, follower_actions, chosen, paid, events);
    else respond_by<true>(s, offers, follower_actions, chosen, paid, events);
  }

  /// Planned actions give way to those of followers that choose primitive ones, and to noise.
  void override_actions(const State& s, const std::int32_t* follower_actions, std::uint8_t* actions) const {
    if (kind_ == Followers::primitive) {
      for (int k = 0; k < n_; ++k)
        if (acts(s, k)) actions[k] = static_cast<std::uint8_t>(follower_actions[k]);
    }
    if (config_.noise > 0) disturb(s, actions);
  }

  /// What the world is told of the step; `skill` and `committed` are written.
  MoveContext context_of(const State& s, const std::int8_t* chosen, const std::uint8_t* actions, GoalSet* skill,
                         std::int8_t* committed) const {
    for (int k = 0; k < n_; ++k) {
      skill[k] = s.follower[k].skill;
      committed[k] = s.follower[k].committed ? s.follower[k].offer.goal : std::int8_t{kNone};
    }
    return {actions, skill, committed, chosen, s.seed, s.environment, s.episode, s.step};
  }

  /// The clock, completions, payments and rewards of the step that has just been moved.
  void settle(State& s, const std::int8_t* chosen, const std::uint8_t* actions, const GoalSet* reached,
              const float* paid, const Earned& earned, Step& out, HistoryEvent* events) const {
    if (limited_ | choosy_ | own_objective_) settle_by<false>(s, chosen, actions, reached, paid, earned, out, events);
    else settle_by<true>(s, chosen, actions, reached, paid, earned, out, events);
  }

  /// The horizon is reached or nothing is left to do.
  bool over(const State& s) const { return s.step >= config_.horizon || world_.exhausted(s.world); }

  /// What a step on a finished game, or the step that only resets it, comes to: nothing happened.
  void report_nothing(bool terminated, Step& step) const {
    step.reward = 0;
    step.terminated = terminated;
    std::fill_n(step.committed, n_, false);
    std::fill_n(step.refused, n_, false);
    std::fill_n(step.completed, n_, std::int8_t{kNone});
    std::fill_n(step.payment, n_, 0.0f);
    std::fill_n(step.follower_reward, n_, 0.0f);
    std::fill_n(step.action, n_, std::int8_t{kNone});
  }

  /// The fields of a step's results, of an episode's sums so far, of what followers know of themselves and of the offers
  /// made to them, and of the observation: what the leader may know, never the followers' traits.
  template <class Visitor>
  void results(const Step& step, Visitor&& field) const;
  template <class Visitor>
  void totals(const State& s, Visitor&& field) const;
  template <class Visitor>
  void follower_view(const State& s, const Offer* offers, Visitor&& field) const;
  template <class Visitor>
  void observe(const State& s, Visitor&& field) const;

  template <class Visitor>
  void results_of_limits(const Step& step, Visitor field) const;
  template <class Visitor>
  void totals_of_objective(const State& s, Visitor field) const;

  /// The state's fields, to read and to set. Setters check ranges; validate() checks the rest.
  template <class Visitor>
  void visit(State& s, Visitor&& field) const;

  /// Throws std::invalid_argument when a state set from outside breaks an invariant.
  void validate(const State& s) const;

 private:
  Whole offer_range() const { return Whole(kNone, std::max(config_.num_goals, config_.num_bonuses) - 1); }

  static constexpr bool pays_ = Pays<World>;
  static constexpr int kTeamTries = 100;

  /// Sets which of the economy's parts are in use.
  void look_at_kind() {
    limited_ = limits_.any();
    own_objective_ = !objective_.plain();
    choosy_ = population_.choosy();
    employed_ = decision_ != Decision::utility;
    expect(!choosy_ || !employed_, "population", "neither utility nor cost with decision = '" + config_.decision + "'",
           "one with them");
  }

  /// Draws the episode's followers. Where a world says who fits together, they are drawn anew until they do; in a population
  /// where none do it ends with the last ones.
  void draw_team(Draws& draws, std::uint16_t* identity) const {
    if constexpr (requires { World::team_fits; }) {
      GoalSet skill[kMaxFollowers];
      for (int tries = 0; tries < kTeamTries; ++tries) {
        population_.draw_episode(draws, n_, identity, false);
        for (int k = 0; k < n_; ++k) skill[k] = population_[identity[k]].skill;
        if (World::team_fits(skill, n_)) return;
      }
    } else {
      population_.draw_episode(draws, n_, identity, true);
    }
  }

  /// What is left at the start of a step beside all reservations.
  Limits::Amount left(const State& s) const { return limits_.left(s.ledger, s.follower, n_); }

  /// Whether follower k's offer is beyond the leader's means before anybody has answered in this step.
  bool refused_at_once(const State& s, int k, Offer offer, Limits::Amount left) const {
    left += limits_.held(s.follower[k]);
    return !limits_.fits(s.follower[k], offer, left);
  }

  template <bool kPlain>
  void respond_by(State& s, const Offer* offers, const std::int32_t* follower_actions, std::int8_t* chosen, float* paid,
                  HistoryEvent* events) const {
    [[maybe_unused]] Limits::Amount first, left;
    if (!kPlain && limited_) first = left = this->left(s);
    const bool starts = s.step == 0;
    for (int k = 0; k < n_; ++k) {
      Follower& f = s.follower[k];
      Offer offer = offers[k];
      if (!kPlain && limited_) {
        const Limits::Amount before = limits_.held(f);
        left += before;
        // Who acts in a second phase has been shown what did not fit before anybody answered.
        const bool refused =
            !limits_.fits(f, offer, left) || (kind_ != Followers::rule && refused_at_once(s, k, offer, first));
        f.refused = refused & 1;
        if (refused) offer = {};
      }
      const auto distance = [&](int goal) { return world_.distance(s.world, k, goal); };
      const auto reachable = [&](int goal) { return distance(goal) != kNone; };
      int goal = kNone;
      bool committed = false;
      if (!kPlain && employed_) {
        const Answer answer = employment(s, k, offer, follower_actions, reachable);
        goal = answer.goal;
        committed = answer.takes;
      } else {
        goal = acts(s, k) ? taken(follower_actions[k], offer, reachable) : decision<kPlain>(f, offer, distance);
        committed = offer.goal != kNone && goal == offer.goal;
      }
      chosen[k] = static_cast<std::int8_t>(goal);
      s.totals.new_offers += starts | !(offer == f.offer);
      paid[k] = sign_contract(f, offer, committed, offer.goal != kNone && reachable(offer.goal), economy_, events[k]);
      if constexpr (!kPlain) {
        f.completed = kNone;  // of the last step; an outcome that was paid can be reached again
        if (!limited_) continue;
        left -= limits_.held(f);
        if (paid[k] > 0) {
          const double price = limits_.price(offer.bonus);
          left -= {price, price};
          s.ledger.paid += price;
        }
      }
    }
  }

  template <bool kPlain, class Distance>
  int decision(const Follower& f, Offer offer, Distance&& distance) const {
    const float price = economy_.price(offer.bonus);
    if constexpr (!kPlain)
      if (choosy_) return decide_by_taste(f, offer, price, population_, config_.num_goals, distance);
    return decide(f, offer, price, [&](int goal) { return distance(goal) != kNone; });
  }

  /// What follower k does where a price of 0 is no employment: nobody takes such an offer, whoever decides.
  template <class Reachable>
  Answer employment(const State& s, int k, Offer offer, const std::int32_t* follower_actions,
                    Reachable&& reachable) const {
    const float price = economy_.price(offer.bonus);
    const Follower& f = s.follower[k];
    if (!acts(s, k)) return decide_on_employment(f, offer, price, decision_ == Decision::employment_squared, reachable);
    const int goal = taken(follower_actions[k], offer, reachable);
    return {goal, goal != kNone && goal == offer.goal && price > 0};
  }

  /// What a follower with tastes earns by itself and pays for its way, beside c.
  float own_reward(const Follower& f, GoalSet reached, int chosen) const {
    float sum = 0;
    for (int g = 0; g < config_.num_goals; ++g)
      if (holds(reached, g)) sum += population_.utility(f.identity, g);
    return chosen == kNone ? sum : sum - population_.cost(f.identity, chosen);
  }

  template <bool kPlain>
  void settle_by(State& s, [[maybe_unused]] const std::int8_t* chosen, const std::uint8_t* actions,
                 const GoalSet* reached, const float* paid, const Earned& earned, Step& out,
                 HistoryEvent* events) const {
    [[maybe_unused]] double equality = 0, everybody = 0;
    if constexpr (!kPlain) equality = this->equality(s);
    ++s.step;
    s.done = over(s);
    double reward = 0;
    // Copies: outcomes are of the same type, and could be the sums for all a compiler knows.
    float gain = s.totals.gain, payments = s.totals.payments, incentive = s.totals.incentive,
          follower_reward = s.totals.follower_reward;
    if constexpr (pays_) {
      reward = earned.leader;
      gain += static_cast<float>(earned.leader);
    }
    for (int k = 0; k < n_; ++k) {
      Follower& f = s.follower[k];
      f.action = static_cast<std::int8_t>(actions[k]);
      Outcome o = settle_contract(f, reached[k], paid[k], economy_, s.done, events[k]);
      if constexpr (pays_) o.follower_reward += earned.follower[k];
      if constexpr (!kPlain) {
        if (choosy_) o.follower_reward += own_reward(f, reached[k], chosen[k]);
        if (objective_.equality != 0) f.earned += static_cast<double>(o.follower_reward);
        everybody += static_cast<double>(o.follower_reward);
        if (o.completed != kNone) s.ledger.revenue += limits_.reward(o.completed);
        if (o.completed != kNone && !economy_.in_advance) s.ledger.paid += limits_.price(f.offer.bonus);
        out.refused[k] = f.refused;
      }
      reward += o.leader_reward;
      gain += o.leader_reward;
      payments += o.payment;
      incentive += o.incentive;
      follower_reward += o.follower_reward;
      if (o.completed != kNone) ++s.totals.completions[o.completed];
      out.committed[k] = f.committed;
      out.completed[k] = o.completed;
      out.payment[k] = o.payment;
      out.follower_reward[k] = o.follower_reward;
      out.action[k] = f.action;
    }
    s.totals.gain = gain;
    s.totals.payments = payments;
    s.totals.incentive = incentive;
    s.totals.follower_reward = follower_reward;
    s.totals.length = s.step;
    if constexpr (!kPlain) {
      if (own_objective_) {
        const double welfare = reward + everybody;
        reward = objective_.gain * reward + objective_.welfare * welfare +
                 objective_.equality * (this->equality(s) - equality);
        s.totals.welfare += static_cast<float>(welfare);
        s.totals.objective += static_cast<float>(reward);
      }
    }
    out.reward = reward;
    out.terminated = s.done;
  }

  /// Of followers' rewards so far; 0 where the objective does not ask.
  [[gnu::noinline]] double equality(const State& s) const {
    return objective_.equality != 0 ? objective_.equality_of<kMaxFollowers>(s.follower, n_) : 0;
  }

  /// Primitive actions there are, and those that noise plays: known when a world is compiled, or when it is made.
  int actions() const {
    if constexpr (requires { World::kActions; }) return World::kActions;
    else return world_.actions();
  }
  std::uint8_t noise_action(Draws& draws) const {
    if constexpr (requires { World::kNoiseActions; }) return World::noise_action(draws.below(World::kNoiseActions));
    else return static_cast<std::uint8_t>(draws.below(static_cast<std::uint32_t>(actions())));
  }

  struct Routes {
    std::uint8_t first[World::kMaxGoals][kMaxFollowers];
  };

  /// What pi_lower plays towards each goal type, whether or not the follower takes it.
  Routes routes(const State& s) const {
    Routes routes;
    for (int g = 0; g < config_.num_goals; ++g) {
      if constexpr (requires { world_.route(s.world, 0, 0); }) {  // of a world that has planned for all games before
        for (int k = 0; k < n_; ++k) routes.first[g][k] = world_.route(s.world, k, g);
        continue;
      }
      std::int8_t chosen[kMaxFollowers];
      for (int k = 0; k < kMaxFollowers; ++k) {
        const bool reachable = k < n_ && world_.distance(s.world, k, g) != kNone;
        chosen[k] = static_cast<std::int8_t>(reachable ? g : kNone);
      }
      world_.plan(s.world, chosen, routes.first[g]);
    }
    return routes;
  }

  /// The goal type that a follower takes by its action, kNone for none. Of goal types it is the one it chose, if that can
  /// be reached; with primitive actions it cannot decline, so it is the one it was offered.
  template <class Reachable>
  int taken(int action, Offer offer, Reachable&& reachable) const {
    const int goal = kind_ == Followers::primitive ? offer.goal : action < config_.num_goals ? action : kNone;
    return goal != kNone && reachable(goal) ? goal : kNone;
  }

  /// Follower noise (Table 1): two draws a follower, whether and what.
  void disturb(const State& s, std::uint8_t* actions) const {
    Draws draws(s.seed, Stream::noise, static_cast<std::uint64_t>(s.step), static_cast<std::uint64_t>(s.episode),
                s.environment);
    for (int k = 0; k < n_; ++k) {
      const bool replaced = draws.unit() < config_.noise;
      const std::uint8_t other = noise_action(draws);
      if (replaced) actions[k] = other;
    }
  }

  GameConfig config_;
  Population population_;
  World world_;
  int n_;
  Economy economy_;
  Limits limits_;
  Objective objective_;
  Followers kind_;
  Decision decision_;
  int goal_objects_;
  bool limited_, own_objective_, choosy_, employed_;
};

}  // namespace paymaster
