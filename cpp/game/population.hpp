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

class Population {
 public:
  explicit Population(std::vector<Traits> traits);

  /// Traits drawn uniformly from config.population_seed.
  static Population drawn(const GameConfig& config);

  int size() const { return static_cast<int>(traits_.size()); }
  const Traits& operator[](int identity) const { return traits_[static_cast<std::size_t>(identity)]; }

  /// The same population, but the members named have the traits that `others`, of the same size, has in their places.
  Population with(const std::vector<int>& identities, const Population& others) const;

  /// Draws n different followers into `identity`. With three or more kinds of skill, neighbours in the draw differ in
  /// kind as long as anyone of another kind is left (M3RL).
  void draw_episode(Draws& draws, int n, std::uint16_t* identity) const;

 private:
  std::vector<Traits> traits_;
  std::vector<std::uint16_t> kind_;                  // of each member: equal numbers, equal sets of skills
  std::vector<std::vector<std::uint16_t>> of_kind_;  // [kinds] its members, ascending
};

}  // namespace paymaster
