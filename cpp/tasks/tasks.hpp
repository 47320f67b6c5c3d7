// The tasks that can be played by name: the package's, and those of worlds that others have made.
#pragma once

#include <deque>
#include <string>

#include "game/config.hpp"

namespace paymaster {

struct Task {
  std::string name;
  std::string meaning;
  GameConfig preset;
};

/// The package's own first.
const std::deque<Task>& tasks();

/// Adds one, in place of one of the same name that was added before. One thread at a time, as with Python's lock.
/// Throws std::invalid_argument on a name that is none, or one of the package's own.
void add_task(Task task);

/// Takes away one that was added; games of it go on.
void remove_task(const std::string& name);

bool has_task(const std::string& name);

/// Throws std::invalid_argument that lists the known tasks.
const Task& find_task(const std::string& name);

}  // namespace paymaster
