#include "paymaster/worlds/navigation.hpp"

#include "paymaster/worlds/particles_rules.hpp"

namespace paymaster {

template class ParticleWorld<Navigation>;
template class ParticleWorld<Navigation, SmallParticleState>;

}  // namespace paymaster
