// The parameters of a game. A default, its range and its meaning are written once, in visit(), and serve Python's
// keyword arguments, the errors and `paymaster tasks` alike.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <vector>

#include "game/parameters.hpp"
#include "game/types.hpp"
#include "game/world.hpp"

namespace paymaster {

struct GameConfig {
  const WorldKind* world = nullptr;  // fixed by the task
  OwnParameters world_parameters;
  int num_followers = 4;
  int num_goals = 4;
  int num_bonuses = 2;
  int horizon = 30;
  std::string payment = "completion";
  std::string followers = "rule";
  std::string decision = "utility";
  double noise = 0.0;
  bool abstain = false;
  bool observe_routes = false;
  int near_goals = 0;
  std::vector<double> goal_reward = {0.0};
  std::vector<double> prices;
  double budget = std::numeric_limits<double>::infinity();
  double max_share = std::numeric_limits<double>::infinity();
  double opening_sum = 0.0;
  double weight_gain = 1.0;
  double weight_welfare = 0.0;
  double weight_equality = 0.0;
  std::string equality = "gini";
  double effort_cost = 0.0;
  std::string named_population = "drawn";
  int population_size = 40;
  std::int64_t population_seed = 0;
  int skills_per_follower = 3;
  bool preference_among_skills = true;
  int max_reservation = 1;
  bool new_preferences = false;

  /// The task's world, with its parameters as it brings them.
  void set_world(const WorldKind& kind) {
    world = &kind;
    world_parameters = kind.parameters();
  }
  /// The world's parameters, which are a T; throws std::bad_cast if they are not.
  template <class T>
  T& own() {
    T* parameters = dynamic_cast<T*>(world_parameters.get());
    return parameters != nullptr ? *parameters : throw std::bad_cast();
  }
  template <class T>
  const T& own() const {
    const T* parameters = find_own<T>();
    return parameters != nullptr ? *parameters : throw std::bad_cast();
  }
  /// The same, or null if they are not.
  template <class T>
  const T* find_own() const {
    return dynamic_cast<const T*>(world_parameters.get());
  }

  /// Calls visitor(name, member, meaning, low, high) for the parameters of the task's world; text members get
  /// (name, member, meaning, choices), or (name, member, meaning) where they may be any text.
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("num_followers", self.num_followers, "N, followers in an episode (paper: 4)", 1,
            self.world != nullptr ? self.world->max_followers() : kMaxFollowers);
    const int goals = self.world != nullptr ? self.world->max_goals() : kMaxGoals;
    visitor("num_goals", self.num_goals, "G, goal types", 1, goals);
    visitor("num_bonuses", self.num_bonuses, "K, bonus levels", 1, kMaxBonuses);
    visitor("horizon", self.horizon, "T, steps in an episode", 1, kMaxHorizon);
    visitor(
        "payment", self.payment,
        "'completion': paid when a contract is completed; 'advance': when it starts; 'advance_once': then, but not "
        "again to a follower that takes the same offer up once more; 'outcome': when the follower reaches a goal of "
        "the offered type, committed or not",
        Choices{"completion", "advance", "advance_once", "outcome"});
    visitor(
        "followers", self.followers,
        "'rule': they decide by rule; else they act in a second phase of the step: 'meta', by a goal type that their "
        "planner walks to, or 'primitive', by an action (Sec. 4.3)",
        Choices{"rule", "meta", "primitive"});
    visitor(
        "decision", self.decision,
        "how rule-based followers decide. 'utility': they take the best of their preferred goal type (c) and the offer "
        "(its price); 'employment': they decline a price of 0, and a price up to c while they can reach what they "
        "prefer; 'employment_squared': the same with the price squared (M3RL's code)",
        Choices{"utility", "employment", "employment_squared"});
    visitor("noise", self.noise, "probability that a follower's action is replaced by a random one (Table 1)", 0.0,
            1.0);
    visitor("abstain", self.abstain, "adds the offer 'none' (goal index G): no goal, no payment", 0, 1);
    visitor("observe_routes", self.observe_routes,
            "adds the field 'route' to the observation: the planners' first actions; off, they cost nothing", 0, 1);
    visitor("near_goals", self.near_goals,
            "C, goal types that the networks see of a follower: the one it is offered, and the nearest; 0: all", 0,
            goals);
    visitor(
        "goal_reward", self.goal_reward,
        "w, the leader's reward for a completed contract: a number, or one a goal type; a single 0 means min(K + 1, 5)",
        0.0, kMaxPrice);
    visitor("prices", self.prices, "what each bonus level pays, K increasing numbers; none means 1, 2, ..., K", 0.0,
            kMaxPrice);
    constexpr double no_end = std::numeric_limits<double>::infinity();
    visitor("budget", self.budget, "the most that is paid in bonuses in an episode; inf: no limit", 0.0, no_end);
    visitor(
        "max_share", self.max_share,
        "the most that is paid in bonuses as a share of the revenue so far (w of completed contracts); inf: no limit",
        0.0, no_end);
    visitor("opening_sum", self.opening_sum,
            "with max_share and payment in advance: what may be paid beyond that share, as there is no revenue at "
            "first; at "
            "least the lowest price",
            0.0, 1e9);
    visitor("weight_gain", self.weight_gain, "weight of the gain in the leader's reward", 0.0, 1e6);
    visitor("weight_welfare", self.weight_welfare,
            "weight of the welfare in the leader's reward: everybody's rewards together, payments cancel out", 0.0,
            1e6);
    visitor("weight_equality", self.weight_equality,
            "weight of the equality of followers' rewards in the leader's reward", 0.0, 1e6);
    visitor(
        "equality", self.equality,
        "with weight_equality, 'gini': 1 - Gini index of the followers' rewards of the episode so far; 'poorest': the "
        "least of them",
        Choices{"gini", "poorest"});
    visitor("effort_cost", self.effort_cost,
            "what each step of going for a goal costs a follower, unless the population says so", 0.0, kMaxPrice);
    visitor("named_population", self.named_population,
            "'drawn': the population is drawn; else one of M3RL's published ones, for tasks on the grid or in the "
            "crafting world",
            Choices{"drawn", "m3rl_v0", "m3rl_v1", "m3rl_v3", "m3rl_v4", "m3rl_crafting_v0", "m3rl_crafting_v1"});
    visitor("population_size", self.population_size, "followers with fixed traits an episode is drawn from", 1,
            kMaxPopulation);
    visitor("population_seed", self.population_seed, "seed of the traits", std::int64_t{0}, INT64_MAX);
    visitor("skills_per_follower", self.skills_per_follower, "goal types a follower can complete", 1, goals);
    visitor("preference_among_skills", self.preference_among_skills,
            "the preferred goal is one of the follower's skills; else any goal type", 0, 1);
    visitor("max_reservation", self.max_reservation, "reservation c is drawn from 1..max_reservation", 1, 1000);
    visitor("new_preferences", self.new_preferences,
            "each follower's preference is drawn anew in every episode, from all goal types (M3RL's S3)", 0, 1);
    if (self.world_parameters.get() == nullptr) return;
    PassParameters<Self, std::remove_reference_t<Visitor>> pass(visitor);
    const_cast<WorldParameters*>(self.world_parameters.get())->visit(pass);  // as constants where Self is const
  }

  Payment payment_rule() const {
    return payment == "advance"        ? Payment::advance
           : payment == "advance_once" ? Payment::advance_once
           : payment == "outcome"      ? Payment::outcome
                                       : Payment::completion;
  }
  Decision decision_rule() const {
    return decision == "employment"           ? Decision::employment
           : decision == "employment_squared" ? Decision::employment_squared
                                              : Decision::utility;
  }
  bool draws_population() const { return named_population == "drawn"; }
  Followers follower_kind() const {
    return followers == "meta" ? Followers::meta : followers == "primitive" ? Followers::primitive : Followers::rule;
  }
  /// w of a goal type.
  double reward_of(int goal) const {
    if (goal_reward.size() > 1) return goal_reward[static_cast<std::size_t>(goal)];
    return goal_reward[0] > 0.0 ? goal_reward[0] : num_bonuses < 4 ? num_bonuses + 1.0 : 5.0;
  }
  /// What a bonus level pays.
  double price_of(int bonus) const { return prices.empty() ? bonus + 1.0 : prices[static_cast<std::size_t>(bonus)]; }

  /// Throws std::invalid_argument naming the parameter, what was expected and what came.
  void validate() const;
};

}  // namespace paymaster
