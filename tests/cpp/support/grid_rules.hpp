// The grid's rules (tasks.md, World 1) as checks on one step, written cell by cell and without the core's shortcuts.
#pragma once

#include "support/game_view.hpp"

namespace paymaster::test {

/// Goals each follower reached [N]: the types of the resources that went, claimed by it.
std::vector<unsigned> reached_on_grid(const PlayedStep& step);

/// Each says which rule is broken, or "" when none is.
std::string broken_rule_of_bodies(const PlayedStep& step);
std::string broken_rule_of_claims(const PlayedStep& step);
std::string broken_rule_of_actions(const PlayedStep& step);  // without noise: those of the plan

/// Compares the planner's distances and what is available, as observed, with a queue search on the state.
/// `first_action` [N, G], if not null, receives the queue's first actions (dig at distance 0, -1 where unreachable).
std::string broken_rule_of_routes(const GameConfig& config, const GridMap& map, const GameView& state,
                                  const std::int16_t* distance, const std::int16_t* available, int* first_action);

}  // namespace paymaster::test
