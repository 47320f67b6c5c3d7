// paymaster._core: table of contents.
#include "bindings.hpp"

PYBIND11_MODULE(_core, m) {
  using namespace paymaster::bindings;
  m.doc() = "The C++ core of paymaster: games, planners, batches.";
  bind_tasks(m);          // presets and their parameters
  bind_worlds(m);         // tasks whose worlds are written in Python
  bind_interface(m);      // for modules of worlds built elsewhere
  bind_call_guard(m);     // one thread at a time
  bind_batch(m);          // B games at once, statistics, state, snapshots
  bind_events(m);         // event sets of action logs
  bind_features(m);       // what the leader's networks see
  bind_planes(m);         // the same as planes, and M3RL's performance history
  bind_assignment(m);     // of followers to goal types
  bind_planners(m);       // routes on the grid, steering
  bind_particles(m);      // particle physics, apart from any game
  bind_recurrence(m);     // a GRU over packed sequences
  bind_acting(m);         // one step of the networks, to act
  bind_plane_acting(m);   // the same on planes
  bind_leader_update(m);  // their gradient, to learn
  bind_follower_update(m);
}
