// Games of a world whose rules play all of a batch at once.
#pragma once

#include <memory>

#include "batch/batch.hpp"
#include "worlds/arrays/array_games.hpp"

namespace paymaster {

/// Throws std::invalid_argument where so many games have no room on this machine, before anything is made; the world's own
/// arrays are not counted.
void expect_room_for_arrays(const GameConfig& game, const BatchConfig& batch, int population);

/// Begins the first episodes. `games` has the sizes of the configuration, and the world's own arrays.
std::unique_ptr<Batch> array_games(const GameConfig& game, const BatchConfig& batch, Population people,
                                   std::shared_ptr<ArrayGames> games, std::unique_ptr<ArrayRules> rules);

}  // namespace paymaster
