// Actions from outside: what is out of range is refused before any game moves.
#pragma once

#include <cstddef>
#include <cstdint>

#include "game/config.hpp"

namespace paymaster {

/// Throws std::invalid_argument on a goal or bonus out of range; `actions` are [games, N, 2] (goal, bonus).
void check_offers(const GameConfig& config, const std::int32_t* actions, std::size_t games);

/// Throws std::invalid_argument on an action out of 0 .. choices - 1; `actions` are [games, followers].
void check_follower_actions(int choices, int followers, const std::int32_t* actions, std::size_t games);

}  // namespace paymaster
