#include "worlds/particles/predator_prey.hpp"

#include "worlds/particles/rules.hpp"

namespace paymaster {

template <class World>
void PredatorPrey::drive(const World& world, typename World::State& s, const MoveContext& context,
                         std::uint8_t* actions) {
  if (context.step % world.config().prey_hold == 0) {
    Draws draws(context.seed, Stream::prey, static_cast<std::uint64_t>(context.step),
                static_cast<std::uint64_t>(context.episode), context.environment);
    for (int i = 0; i < world.targets(); ++i)
      s.goal_action[i] = static_cast<std::uint8_t>(draws.below(kParticleActions));
  }
  std::copy_n(s.goal_action, world.targets(), actions + world.first_goal());
}

template <class World>
void PredatorPrey::confine(const World& world, typename World::State& s) {
  constexpr std::uint8_t kMirrored[2][kParticleActions] = {{kNoop, kRight, kLeft, kDown, kUp},
                                                           {kNoop, kLeft, kRight, kUp, kDown}};
  const double border = world.half_width();
  for (int i = 0; i < world.targets(); ++i) {
    const int body = world.first_goal() + i;
    for (int axis = 0; axis < 2; ++axis) {
      double& at = s.position[body][axis];
      if (std::abs(at) <= border) continue;
      // Two reflections bring back what is 4 borders away. (Clipping instead would pile preys up in the corners.)
      at = std::remainder(at, 4 * border);
      if (std::abs(at) <= border) continue;
      at = std::copysign(2 * border, at) - at;
      s.velocity[body][axis] = -s.velocity[body][axis];
      s.goal_action[i] = kMirrored[axis][s.goal_action[i]];
    }
  }
}

template class ParticleWorld<PredatorPrey>;
template class ParticleWorld<PredatorPrey, SmallParticleState>;

}  // namespace paymaster
