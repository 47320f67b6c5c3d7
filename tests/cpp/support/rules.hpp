// What every world has in common (tasks.md, "One contract layer"), as checks on one step of one game.
#pragma once

#include "support/game_view.hpp"

namespace paymaster::test {

/// Each says which rule is broken, or "" when none is.
std::string broken_rule_of_decisions(const PlayedStep& step);
/// Completions, payments, rewards; contracts and their ages. `step.reached` is what the world says was reached.
std::string broken_rule_of_money(const PlayedStep& step);
/// Of a step that only starts the next episode, or that a finished game is asked for.
std::string broken_rule_of_silence(const PlayedStep& step, bool next_episode);

/// Sums over an episode, kept beside the core's.
struct Ledger {
  double gain = 0, payments = 0, incentive = 0, follower_reward = 0, revenue = 0;
  int new_offers = 0, length = 0;
  bool costly = false;  // steps cost followers something
  std::vector<int> completions = std::vector<int>(kMaxGoals);

  void add(const PlayedStep& step);
  /// The limit that payments so far are beyond, or "".
  std::string broken_limit(const GameConfig& config) const;
  bool agrees(const Results& results, int game, int goals) const;
};

}  // namespace paymaster::test
