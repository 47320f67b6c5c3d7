#include "line.hpp"
#include "paymaster/worlds.hpp"

PAYMASTER_WORLDS(cpp_world, paymaster::task<paymaster::LineWorld>("corridor", "toy: walk to goals on a line of cells"));
