// World 2, navigation (paper Sec. 5; tasks.md): landmarks to reach. A reached landmark disappears, another appears.
#pragma once

#include "worlds/particles/particles.hpp"

namespace paymaster {

struct Navigation {
  static constexpr const char* kName = "navigation";
  static constexpr bool kGoalsMove = false;
  template <class World>
  static void drive(const World&, typename World::State&, const MoveContext&, std::uint8_t*) {}
  template <class World>
  static void confine(const World&, typename World::State&) {}
};

extern template class ParticleWorld<Navigation>;
extern template class ParticleWorld<Navigation, SmallParticleState>;
using NavigationWorld = ParticleWorld<Navigation>;

extern const WorldKind& kNavigation;

}  // namespace paymaster
