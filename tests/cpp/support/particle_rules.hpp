// The rules of the particle worlds (tasks.md, World 2 and 3) as checks on one step: who takes which goal, where things
// may be. Forces and contacts are compared with mpe2 from Python; here a body's new place follows from its velocity.
#pragma once

#include "support/game_view.hpp"

namespace paymaster::test {

/// Says which rule is broken, or "" when none is. `reached` [N] receives the goals that each follower must have taken.
std::string broken_rule_of_particles(const PlayedStep& step, std::vector<unsigned>& reached);

}  // namespace paymaster::test
