// Batches of the worlds in the plane, compiled apart from the table of tasks, which is compiled anew more often.
#include "batch/world_kind.hpp"
#include "worlds/particles/navigation.hpp"
#include "worlds/particles/predator_prey.hpp"

namespace paymaster {
namespace {

/// Particles in the smaller room where they fit.
template <class Rules>
class ParticleKind final : public KindOf<ParticleWorld<Rules>> {
 public:
  std::unique_ptr<Batch> games(const GameConfig& game, const BatchConfig& batch, Population people) const override {
    if (SmallParticleState::holds(game))
      return games_of<ParticleWorld<Rules, SmallParticleState>>(game, batch, std::move(people));
    return games_of<ParticleWorld<Rules>>(game, batch, std::move(people));
  }
};

constinit const ParticleKind<Navigation> kNavigationKind;
constinit const ParticleKind<PredatorPrey> kPredatorPreyKind;

}  // namespace

constinit const WorldKind& kNavigation = kNavigationKind;
constinit const WorldKind& kPredatorPrey = kPredatorPreyKind;

}  // namespace paymaster
