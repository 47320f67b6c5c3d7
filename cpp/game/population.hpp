// 40 followers with fixed, hidden traits, and the draw of an episode's N from them (paper Sec. 5.1; M3RL).
#pragma once

#include <cstdint>
#include <vector>

#include "game/config.hpp"
#include "game/rng.hpp"

namespace paymaster {

struct Traits {
  GoalSet skill = 0;            // goal types it can complete
  std::uint8_t preference = 0;  // the goal type it prefers
  float reservation = 0.0f;     // c, what it earns by itself for its preferred goal
  bool learns = true;           // its actions come from outside, where followers are not rule-based
};

/// What a population may have beside traits, a row a member; empty: none of it. A game looks it up by identity.
struct Tastes {
  std::vector<float> utility;  // [P, G], what a member earns by itself for reaching each goal type, beside c
  std::vector<float> cost;     // [P, G], what a step of going for each goal type costs it
  std::vector<float> weight;   // [P], in proportion to which members are drawn; empty: all alike
};

class Population {
 public:
  /// `goals` is G, the length of the rows of `tastes`.
  explicit Population(std::vector<Traits> traits, int goals = 0, Tastes tastes = {});

  /// The named ones, or traits drawn from config.population_seed, uniformly unless the world has its own; everybody's cost is config.effort_cost.
  static Population drawn(const GameConfig& config);

  int size() const { return static_cast<int>(traits_.size()); }
  const Traits& operator[](int identity) const { return traits_[static_cast<std::size_t>(identity)]; }
  const Tastes& tastes() const { return tastes_; }

  /// Whether followers weigh more than c and prices.
  bool choosy() const { return !tastes_.utility.empty() || !tastes_.cost.empty(); }
  /// Of a member and goal type; 0 where the population has none.
  float utility(int identity, int goal) const { return of(tastes_.utility, identity, goal); }
  float cost(int identity, int goal) const { return of(tastes_.cost, identity, goal); }

  /// Everybody's cost of a step, in a population that has none.
  void charge(double effort_cost, int goals);

  /// The same population, but the members named have the traits, utility and cost that `others`, of the same size, has in
  /// their places.
  Population with(const std::vector<int>& identities, const Population& others) const;

  /// Draws n different followers into `identity`. If they are to be mixed, and there are three or more kinds of skill,
  /// neighbours in the draw differ in kind as long as anyone of another kind is left (M3RL).
  void draw_episode(Draws& draws, int n, std::uint16_t* identity, bool mixed = true) const;

 private:
  float of(const std::vector<float>& table, int identity, int goal) const {
    return table.empty() ? 0.0f : table[static_cast<std::size_t>(identity) * goals_ + static_cast<std::size_t>(goal)];
  }
  void draw_by_weight(Draws& draws, int n, std::uint16_t* identity, bool mixed) const;

  std::vector<Traits> traits_;
  std::size_t goals_;
  Tastes tastes_;
  std::vector<std::uint16_t> kind_;                  // of each member: equal numbers, equal sets of skills
  std::vector<std::vector<std::uint16_t>> of_kind_;  // [kinds] its members, ascending
};

}  // namespace paymaster
