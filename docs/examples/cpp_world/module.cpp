#include "line.hpp"
#include "paymaster/worlds.hpp"
#include "taxi.hpp"

namespace {

using paymaster::LineWorld, paymaster::task, paymaster::TaxiWorld;

/// A task with parameters of its own in place of every game's.
paymaster::Task long_corridor() {
  paymaster::Task corridor = task<LineWorld>("long_corridor", "toy: a line of 100 cells");
  corridor.preset.horizon = 200;
  corridor.preset.own<paymaster::LineConfig>().cells = 100;
  return corridor;
}

}  // namespace

PAYMASTER_WORLDS(cpp_world, task<LineWorld>("corridor", "toy: walk to goals on a line of cells"), long_corridor(),
                 task<TaxiWorld>("cpp_taxi", "taxi drivers: zones on a ring with a bridge across, each a goal type"));
