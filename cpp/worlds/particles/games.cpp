// Batches of the worlds in the plane, compiled apart from the table of tasks, which is compiled anew more often.
#include "batch/game_batch.hpp"
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

template <class Rules>
constexpr WorldKind kind_of() {
  return {Rules::kKey, ParticleState::kMaxFollowers, OwnOptions::particles, particle_games<Rules>};
}

}  // namespace

constinit const WorldKind kNavigation = kind_of<Navigation>();
constinit const WorldKind kPredatorPrey = kind_of<PredatorPrey>();

}  // namespace paymaster
