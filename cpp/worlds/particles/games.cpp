// Batches of the worlds in the plane, compiled apart from the table of tasks, which is compiled anew more often.
#include "batch/world_kind.hpp"
#include "worlds/particles/navigation.hpp"
#include "worlds/particles/predator_prey.hpp"

namespace paymaster {
namespace {

/// Particles in the smaller room where they fit.
template <class Rules>
std::unique_ptr<Batch> particle_games(const GameConfig& game, const BatchConfig& batch, Population people) {
  if (SmallParticleState::holds(game))
    return games_of<ParticleWorld<Rules, SmallParticleState>>(game, batch, std::move(people));
  return games_of<ParticleWorld<Rules>>(game, batch, std::move(people));
}

}  // namespace

constinit const WorldKind kNavigation = kind_of<NavigationWorld>(particle_games<Navigation>);
constinit const WorldKind kPredatorPrey = kind_of<PredatorPreyWorld>(particle_games<PredatorPrey>);

}  // namespace paymaster
