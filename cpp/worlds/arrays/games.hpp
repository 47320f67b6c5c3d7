// Games of a world whose rules play all of a batch at once.
#pragma once

#include <memory>

#include "batch/batch.hpp"
#include "worlds/arrays/array_games.hpp"

namespace paymaster {

/// Begins the first episodes. `games` has the sizes of the configuration, and the world's own arrays.
std::unique_ptr<Batch> array_games(const GameConfig& game, const BatchConfig& batch, Population people,
                                   std::shared_ptr<ArrayGames> games, std::unique_ptr<ArrayRules> rules);

}  // namespace paymaster
