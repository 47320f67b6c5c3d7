// The tasks the package knows by name.
#pragma once

#include <string>
#include <vector>

#include "game/config.hpp"

namespace paymaster {

struct Task {
  std::string name;
  std::string meaning;
  GameConfig preset;
};

const std::vector<Task>& tasks();

/// Throws std::invalid_argument that lists the known tasks.
const Task& find_task(const std::string& name);

}  // namespace paymaster
