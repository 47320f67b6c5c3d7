#include "worlds/particles/navigation.hpp"

#include "worlds/particles/rules.hpp"

namespace paymaster {

template class ParticleWorld<Navigation>;
template class ParticleWorld<Navigation, SmallParticleState>;

}  // namespace paymaster
