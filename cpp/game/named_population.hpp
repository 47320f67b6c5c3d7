// Populations that others have published, by name: the parameter `named_population`.
#pragma once

#include <string>
#include <vector>

#include "game/population.hpp"

namespace paymaster {

/// The traits of a named population. Throws std::invalid_argument on an unknown name.
std::vector<Traits> named_traits(const std::string& name);

/// Throws std::invalid_argument where the parameters do not fit the named population.
void check_named_population(const GameConfig& config);

}  // namespace paymaster
