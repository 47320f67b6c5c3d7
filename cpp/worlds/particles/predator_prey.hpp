// World 3, predator_prey (paper Sec. 5; tasks.md): preys that run at random and are caught by a touch.
//
// A prey holds a uniformly random action; all are redrawn when t mod prey_hold = 0. At the border of the arena a prey is
// reflected. A new prey starts at rest and holds the action of its slot.
#pragma once

#include "worlds/particles/particles.hpp"

namespace paymaster {

struct PredatorPrey {
  static constexpr const char* kName = "predator_prey";
  static constexpr bool kGoalsMove = true;
  template <class World>
  static void drive(const World& world, typename World::State& state, const MoveContext& context,
                    std::uint8_t* actions);
  template <class World>
  static void confine(const World& world, typename World::State& state);
};

extern template class ParticleWorld<PredatorPrey>;
extern template class ParticleWorld<PredatorPrey, SmallParticleState>;
using PredatorPreyWorld = ParticleWorld<PredatorPrey>;

extern const WorldKind& kPredatorPrey;

}  // namespace paymaster
