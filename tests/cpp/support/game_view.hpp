// One game's state and one step of it, as seen from outside: what the rules (rules.hpp and the worlds') look at.
#pragma once

#include <vector>

#include "support/test_batch.hpp"
#include "worlds/grid/map.hpp"

namespace paymaster::test {

/// One game's state: pointers into StateArrays. Fields of another world are null.
struct GameView {
  GameView(StateArrays& arrays, int columns, int game);

  int row_major(const std::int32_t* places, int i) const { return places[2 * i] * columns + places[2 * i + 1]; }
  int cell(int k) const { return row_major(position, k); }
  int resource_cell(int i) const { return row_major(resource_position, i); }
  bool running_offer(int k, int goal, int bonus) const {
    return contract_running[k] && offer[2 * k] == goal && offer[2 * k + 1] == bonus;
  }

  int columns;  // of the map
  const std::int32_t *identity, *preference, *offer, *action, *completed, *contract_age, *step;
  const bool *skill, *committed, *contract_running, *dropped, *done;
  const float* reservation;
  const std::int64_t* episode;
  // The grid.
  const std::int32_t *position, *heading, *resource_type, *resource_position, *resource_claimant;
  const bool* resource_present;
  // Particles; pairs of (x, y).
  const double *place, *velocity, *goal_place, *goal_velocity, *obstacle_place;
  const std::int32_t *goal_type, *goal_action;
};

/// A step of one game: the states around it, the offers, what was seen before it and what it reported.
struct PlayedStep {
  const GameConfig& config;
  const GridMap& map;  // of the grid world; else M3RL's, unused
  GameView before, after;
  bool after_is_next_episode;           // same_step mode: the state after the last step is not shown
  const std::int32_t* offers;           // [N, 2]
  const std::int16_t* distance_before;  // [N, G]
  const int* planned;                   // [N, G] first actions of a queue search before the step, or null
  double reward;
  bool terminated;
  const bool *committed, *refused;         // [N]; refused is null without limits
  const std::int16_t *completed, *action;  // [N]
  const float *payment, *follower_reward;  // [N]
  std::vector<unsigned> reached;           // [N] bit g: it reached a goal of type g, as the world's rules have it

  /// What the follower was offered: none where that was refused.
  Offer offer(int k) const;
  bool has_skill(int k, int goal) const { return before.skill[k * config.num_goals + goal]; }
  /// What a step of going for a goal costs a follower.
  float cost() const { return static_cast<float>(config.effort_cost); }
  /// Goal type that the follower goes for, -1 for none: the utilities as tasks.md writes them, or on employment.
  int wanted_goal(int k) const;
  /// Whether it takes its offer.
  bool takes_offer(int k) const;
  bool can_reach(int k, int goal) const { return distance_before[k * config.num_goals + goal] != kNone; }
  /// Of a follower that decides on employment: no offer, a price of 0, or not enough against what it prefers.
  bool declines_employment(int k) const;
  int ahead_before(int k) const { return before.cell(k) + map.ahead[static_cast<std::size_t>(before.heading[k])]; }
};

inline std::string of_follower(const std::string& rule, int follower) {
  return rule + " (follower " + std::to_string(follower) + ")";
}

}  // namespace paymaster::test
