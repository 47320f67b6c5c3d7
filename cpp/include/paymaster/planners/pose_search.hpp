// The search of grid_search.hpp over any representation of a set of poses.
//
// A policy P says what a set of poses is and computes with it:
//   P::Set                         a set of poses (four boards of cells, one a heading)
//   P::everywhere(board)           every heading in the board's cells
//   P::facing(board, columns)      the poses from which a cell of the board lies straight ahead
//   P::one(cell, heading)          a single pose
//   P::forward(set, columns), P::backward(set, columns)   one `move` later, earlier
//   P::turned(set)                 one turn later (or earlier: turning is its own inverse as a relation)
//   P::unite, P::common, P::without, P::any, P::meet(a, b), P::has(set, cell, heading)
#pragma once

#include "paymaster/planners/grid_search.hpp"

namespace paymaster {

template <class P, class Cells>
inline void pose_distances(int followers, const std::uint16_t* cell, const std::uint8_t* heading, const Cells& empty,
                           int columns, const Cells* targets, unsigned wanted, std::int16_t (*distance)[kMaxGoals]) {
  using Set = typename P::Set;
  Set goals[kMaxGoals], all = P::none();
  for (int g = 0; g < kMaxGoals; ++g) {
    if (!(wanted >> g & 1)) continue;
    goals[g] = P::facing(targets[g], columns);
    all = P::unite(all, goals[g]);
  }
  for (int k = 0; k < followers; ++k) {
    Cells free = empty;
    free.set(cell[k]);
    Set frontier = P::one(cell[k], heading[k]);
    Set unvisited = P::without(P::everywhere(free), frontier);
    Set looked_for = all;
    unsigned open = wanted;
    for (int g = 0; g < kMaxGoals; ++g) distance[k][g] = kNone;
    for (std::int16_t steps = 0; open != 0; ++steps) {
      if (P::meet(frontier, looked_for)) {
        looked_for = P::none();
        for (int g = 0; g < kMaxGoals; ++g) {
          if (!(open >> g & 1)) continue;
          if (P::meet(frontier, goals[g])) {
            distance[k][g] = steps;
            open &= ~(1u << g);
          } else {
            looked_for = P::unite(looked_for, goals[g]);
          }
        }
      }
      const Set next = P::common(P::unite(P::forward(frontier, columns), P::turned(frontier)), unvisited);
      if (!P::any(next)) break;
      unvisited = P::without(unvisited, next);
      frontier = next;
    }
  }
}

/// Of the three actions, in the order of preference, the first that leads into `closer`; one of them does.
template <class P>
inline GridAction pose_action_into(const typename P::Set& closer, int cell, int heading, const int* ahead) {
  if (P::has(closer, cell + ahead[heading], heading)) return kMove;
  return P::has(closer, cell, (heading + 1) & 3) ? kTurnLeft : kTurnRight;
}

template <class P, class Cells>
inline GridAction pose_first_action(int cell, int heading, const Cells& free, int columns, const int* ahead,
                                    const Cells& targets, int distance) {
  using Set = typename P::Set;
  // Backwards from the targets: after distance - 1 advances the frontier holds the poses from which the rest of the
  // way is shortest, and the first of the three next poses that lies in it is the plan's.
  Set unvisited = P::everywhere(free);
  Set frontier = P::common(P::facing(targets, columns), unvisited);
  unvisited = P::without(unvisited, frontier);
  for (int step = 1; step < distance; ++step) {
    frontier = P::common(P::unite(P::backward(frontier, columns), P::turned(frontier)), unvisited);
    unvisited = P::without(unvisited, frontier);
  }
  return pose_action_into<P>(frontier, cell, heading, ahead);
}

}  // namespace paymaster
