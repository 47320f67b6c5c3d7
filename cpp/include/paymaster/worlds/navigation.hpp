// World 2, navigation (paper Sec. 5; tasks.md): landmarks to reach. A reached landmark disappears, another appears.
#pragma once

#include "paymaster/worlds/particles.hpp"

namespace paymaster {

struct Navigation {
  static constexpr std::uint8_t kKey = 1;
  static constexpr bool kGoalsMove = false;
  template <class World>
  static void drive(const World&, ParticleState&, const MoveContext&, std::uint8_t*) {}
  template <class World>
  static void confine(const World&, ParticleState&) {}
};

extern template class ParticleWorld<Navigation>;
using NavigationWorld = ParticleWorld<Navigation>;

}  // namespace paymaster
