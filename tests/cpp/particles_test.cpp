// The particle worlds as they are drawn, and random play that breaks nothing.
// The physics itself is compared with mpe2 from Python (tests/python/test_particle_physics.py).
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "support/particle_scene.hpp"
#include "support/test_batch.hpp"

namespace paymaster::test {

TEST_CASE("the arena is 1 up to four followers, and grows so that density stays") {
  CHECK(NavigationWorld(4, 4, ParticleConfig{}).half_width() == 1.0);
  CHECK(NavigationWorld(16, 4, ParticleConfig{}).half_width() == 2.0);
  ParticleConfig config;
  config.arena_half_width = 3;
  CHECK(NavigationWorld(16, 4, config).half_width() == 3.0);
}

TEST_CASE_TEMPLATE("reset: a function of its draws; nothing overlaps that must not", World, NavigationWorld,
                   PredatorPreyWorld) {
  const bool run = std::is_same_v<World, PredatorPreyWorld>;
  ParticleConfig config = run ? ParticleConfig::predator_prey() : ParticleConfig{};
  config.num_obstacles = 2;
  const World world(4, 4, config);
  const auto first = std::make_unique<ParticleState>(), again = std::make_unique<ParticleState>();
  for (std::uint64_t environment = 0; environment < 200; ++environment) {
    for (ParticleState* s : {first.get(), again.get()}) {
      Draws draws(7, Stream::reset, 0, 0, environment);
      world.reset(*s, draws);
      world.refresh(*s);
    }
    const ParticleState& s = *first;
    REQUIRE(std::memcmp(first.get(), again.get(), sizeof s) == 0);
    REQUIRE_NOTHROW(world.validate(s));
    const int bodies = world.first_obstacle() + world.obstacles();
    const auto size = [&](int body) {
      return body < 4 ? config.body_size : body < world.first_obstacle() ? config.target_size : config.obstacle_size;
    };
    for (int a = 0; a < bodies; ++a) {
      REQUIRE(std::abs(s.position[a][0]) <= 1);
      REQUIRE(std::abs(s.position[a][1]) <= 1);
      REQUIRE(s.velocity[a][0] == 0);
      for (int b = 0; b < a; ++b) {
        const bool landmark =
            !run && ((a >= 4 && a < world.first_obstacle()) || (b >= 4 && b < world.first_obstacle()));
        if (!landmark || a >= world.first_obstacle()) {
          REQUIRE(distance(s.position[a], s.position[b]) >= doctest::Approx(size(a) + size(b)).epsilon(1e-9));
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("random play keeps the invariants, and is a function of its keys", World, NavigationWorld,
                   PredatorPreyWorld) {
  const bool run = std::is_same_v<World, PredatorPreyWorld>;
  const int horizon = 50, episodes = (steps_to_play(200) + horizon - 1) / horizon;
  for (const int n : {1, 4, 64}) {
    for (const int targets : {1, 6, 64}) {
      CAPTURE(n);
      CAPTURE(targets);
      ParticleConfig config = run ? ParticleConfig::predator_prey() : ParticleConfig{};
      config.num_targets = targets;
      config.num_obstacles = n == 64 ? kMaxObstacles : 2;
      const World world(n, 4, config);
      const auto state = std::make_unique<ParticleState>(), twin = std::make_unique<ParticleState>();
      const auto count = static_cast<std::size_t>(n);
      std::vector<std::uint8_t> action(count);
      std::vector<GoalSet> skill(count), reached(count), twice(count);
      std::vector<std::int8_t> committed(count), chosen(count);
      Draws random(1, Stream::noise, 0, static_cast<std::uint64_t>(n), static_cast<std::uint64_t>(targets));
      for (std::int64_t episode = 0; episode < episodes; ++episode) {
        Draws draws(2, Stream::reset, 0, static_cast<std::uint64_t>(episode), 0);
        world.reset(*state, draws);
        world.refresh(*state);
        *twin = *state;
        for (int t = 0; t < horizon; ++t) {
          for (std::size_t k = 0; k < count; ++k) {
            skill[k] = random.below(16);
            committed[k] = static_cast<std::int8_t>(static_cast<int>(random.below(5)) - 1);
            chosen[k] = static_cast<std::int8_t>(static_cast<int>(random.below(5)) - 1);
          }
          world.plan(*state, chosen.data(), action.data());
          for (auto& a : action) {
            REQUIRE(a < World::kActions);
            if (random.below(3) == 0) a = World::noise_action(random.below(World::kNoiseActions));
          }
          const MoveContext context{action.data(), skill.data(), committed.data(), chosen.data(), 2, 0, episode, t};
          const ParticleState before = *state;
          world.move(*state, context, reached.data());
          world.refresh(*state);
          world.move(*twin, context, twice.data());
          world.refresh(*twin);
          REQUIRE(std::memcmp(state.get(), twin.get(), sizeof(ParticleState)) == 0);
          REQUIRE(reached == twice);
          REQUIRE_NOTHROW(world.validate(*state));
          int available = 0;
          for (int g = 0; g < 4; ++g) available += world.available(*state, g);
          REQUIRE(available == targets);
          for (int body = 0; body < world.first_obstacle(); ++body) {
            for (int axis = 0; axis < 2; ++axis) {
              REQUIRE(std::isfinite(state->position[body][axis]));
              REQUIRE(std::isfinite(state->velocity[body][axis]));
              if (body >= world.first_goal()) REQUIRE(std::abs(state->position[body][axis]) <= world.half_width());
            }
          }
          for (int k = 0; k < n; ++k) {
            const auto index = static_cast<std::size_t>(k);
            REQUIRE((reached[index] & ~skill[index]) == 0);
            for (int g = 0; g < 4; ++g) {
              if (reached[index] >> g & 1) REQUIRE(world.available(before, g) > 0);
              const int steps = world.distance(*state, k, g);
              REQUIRE((world.available(*state, g) > 0 ? steps >= 0 : steps == kNone));
            }
          }
        }
      }
    }
  }
}

}  // namespace paymaster::test
