// The particle worlds: who takes a goal, what becomes of it, where preys may be; and random play that breaks nothing.
// The physics itself is compared with mpe2 from Python (tests/python/test_particle_physics.py).
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "paymaster/worlds/navigation.hpp"
#include "paymaster/worlds/predator_prey.hpp"

namespace paymaster::test {
namespace {

constexpr std::uint8_t kAll = 0xff;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A world in a drawn-up situation. Goals that are not placed lie where nobody comes.
template <class World>
struct Scene {
  ParticleConfig config;
  int followers, types;
  World world;
  std::unique_ptr<ParticleState> state = std::make_unique<ParticleState>();  // value-initialised
  std::vector<std::uint8_t> action, skill, reached;
  std::vector<std::int8_t> committed, chosen;
  int t = 1;  // preys hold their actions

  Scene(int n, int goal_types, const ParticleConfig& c)
      : config(c), followers(n), types(goal_types), world(n, goal_types, c) {
    const auto count = static_cast<std::size_t>(n);
    action.assign(count, kNoop);
    skill.assign(count, kAll);
    reached.assign(count, 0xee);
    committed.assign(count, kNone);
    chosen.assign(count, kNone);
    for (int k = 0; k < n; ++k) follower(k, -0.9, 0.9 - 0.4 * k);
    for (int i = 0; i < c.num_targets; ++i) goal(i, 0, 0.9, 0.9 - 0.15 * i);
    for (int i = 0; i < c.num_obstacles; ++i) put(world.first_obstacle() + i, 0.5, -0.7 + 0.5 * i);
  }

  void put(int body, double x, double y, double vx = 0, double vy = 0) {
    state->position[body][0] = x;
    state->position[body][1] = y;
    state->velocity[body][0] = vx;
    state->velocity[body][1] = vy;
  }
  void follower(int k, double x, double y, double vx = 0, double vy = 0) { put(k, x, y, vx, vy); }
  void goal(int i, int type, double x, double y, double vx = 0, double vy = 0) {
    state->goal_type[i] = static_cast<std::uint8_t>(type);
    put(world.first_goal() + i, x, y, vx, vy);
  }
  const double* goal_position(int i) const { return state->position[world.first_goal() + i]; }
  const double* goal_velocity(int i) const { return state->velocity[world.first_goal() + i]; }

  MoveContext context(std::uint64_t environment = 3) const {
    return {action.data(), skill.data(), committed.data(), chosen.data(), 11, environment, 5, t};
  }
  void move() {
    world.move(*state, context(), reached.data());
    world.refresh(*state);
    ++t;
  }
};

using Landmarks = Scene<NavigationWorld>;
using Preys = Scene<PredatorPreyWorld>;

/// Bodies so small that they never push each other, which reach at 0.15.
ParticleConfig tiny_bodies(int targets) {
  ParticleConfig config;
  config.num_targets = targets;
  config.body_size = 0.001;
  return config;
}

ParticleConfig preys(int targets, int obstacles = 0) {
  ParticleConfig config = ParticleConfig::predator_prey();
  config.num_targets = targets;
  config.num_obstacles = obstacles;
  return config;
}

double distance(const double* a, const double* b) { return std::hypot(a[0] - b[0], a[1] - b[1]); }

using Reached = std::vector<std::uint8_t>;

}  // namespace

TEST_CASE("two at one goal: committed to its type, then nearest, then lowest index") {
  const auto play = [](double x0, double x1, std::vector<std::int8_t> committed, std::vector<std::uint8_t> skill) {
    Landmarks scene(2, 4, tiny_bodies(1));
    scene.goal(0, 2, 0, 0);
    scene.follower(0, x0, 0);
    scene.follower(1, x1, 0);
    scene.committed = committed;
    scene.skill = skill;
    scene.move();
    return scene.reached;
  };
  const auto by_first = Reached{0b100, 0}, by_second = Reached{0, 0b100}, by_none = Reached{0, 0};
  CHECK(play(-0.05, 0.1, {-1, -1}, {kAll, kAll}) == by_first);  // nearest
  CHECK(play(-0.1, 0.05, {-1, -1}, {kAll, kAll}) == by_second);
  CHECK(play(-0.1, 0.1, {-1, -1}, {kAll, kAll}) == by_first);     // a tie: lowest index
  CHECK(play(-0.05, 0.1, {-1, 2}, {kAll, kAll}) == by_second);    // committed to the type before nearest
  CHECK(play(-0.05, 0.1, {-1, 1}, {kAll, kAll}) == by_first);     // committed to another type: no matter
  CHECK(play(-0.1, 0.05, {2, 2}, {kAll, kAll}) == by_second);     // both committed: nearest
  CHECK(play(-0.05, 0.1, {2, -1}, {0b1011, kAll}) == by_second);  // no skill, no claim
  CHECK(play(-0.05, 0.1, {2, 2}, {0b1011, 0}) == by_none);
  CHECK(play(-0.2, 0.2, {2, 2}, {kAll, kAll}) == by_none);  // too far
}

TEST_CASE("reach is strict, and measured after the move") {
  Landmarks scene(1, 1, tiny_bodies(1));
  scene.goal(0, 0, 0.25, 0);
  scene.follower(0, 0, 0);
  scene.state->position[scene.world.first_goal()][0] = scene.config.reach_distance;
  scene.move();
  CHECK(scene.reached == Reached{0});
  CHECK(scene.goal_position(0)[0] == scene.config.reach_distance);
  scene.follower(0, -0.05, 0, 1, 0);  // 0.2 away before the move, 0.1 after
  scene.move();
  CHECK(scene.reached == Reached{1});
}

TEST_CASE("reach_by = chosen: nobody takes a goal in passing") {
  ParticleConfig config = tiny_bodies(2);
  config.reach_by = "chosen";
  Landmarks scene(2, 3, config);
  scene.goal(0, 0, 0, 0);
  scene.goal(1, 1, 0, 0.05);
  scene.follower(0, 0.01, 0);
  scene.follower(1, 0.05, 0);
  scene.chosen = {1, 0};
  scene.move();
  CHECK(scene.reached == Reached{0b10, 0b01});
}

TEST_CASE("one follower may take several goals in a step, of one type or of two") {
  Landmarks scene(2, 3, tiny_bodies(3));
  scene.goal(0, 2, 0, 0.05);
  scene.goal(1, 2, 0, -0.05);
  scene.goal(2, 0, 0.05, 0);
  scene.follower(0, 0, 0);
  scene.follower(1, 5, 5);
  scene.move();
  CHECK(scene.reached == Reached{0b101, 0});
}

TEST_CASE("a goal that is taken comes back elsewhere, at rest; the others stay; draws have keys of their own") {
  Preys scene(1, 4, preys(2));
  scene.follower(0, 0, 0);
  scene.goal(0, 1, 0.1, 0, 0.1, 0);
  scene.goal(1, 3, 0.5, 0.5);
  scene.skill = {0b0010};
  const ParticleState before = *scene.state;
  scene.move();
  CHECK(scene.reached == Reached{0b10});
  CHECK(distance(scene.goal_position(0), before.position[1]) > 1e-6);
  CHECK((scene.goal_velocity(0)[0] == 0 && scene.goal_velocity(0)[1] == 0));
  CHECK(scene.goal_position(1)[0] == 0.5);
  CHECK(scene.state->goal_type[1] == 3);

  Draws draws(11, Stream::respawn, 1, 5, 3);  // type, x, y
  CHECK(scene.state->goal_type[0] == draws.below(4));
  CHECK(scene.goal_position(0)[0] == 2 * draws.unit() - 1);
  CHECK(scene.goal_position(0)[1] == 2 * draws.unit() - 1);

  ParticleState other = before;
  scene.t = 1;
  scene.world.move(other, scene.context(4), scene.reached.data());
  CHECK(other.position[1][0] != scene.goal_position(0)[0]);
}

TEST_CASE("preys are reflected: position, velocity and held action, along the axis they crossed") {
  Preys scene(1, 1, preys(2));
  scene.goal(0, 0, 0.95, 0.2, 0.9, 0.3);
  scene.goal(1, 0, -0.3, -0.96, 0, -0.5);
  scene.state->goal_action[0] = kRight;
  scene.state->goal_action[1] = kRight;
  scene.move();
  // 0.95 + 0.09 = 1.04 -> 0.96; the velocity 0.75 * 0.9 + 0.3 = 0.975, then 0.225 along y: limited to 0.975 in all.
  CHECK(scene.goal_position(0)[0] == doctest::Approx(0.96));
  CHECK(scene.goal_position(0)[1] == doctest::Approx(0.23));
  CHECK(scene.goal_velocity(0)[0] == doctest::Approx(-0.975 * 0.975 / std::hypot(0.975, 0.225)));
  CHECK(scene.goal_velocity(0)[1] > 0);
  CHECK(scene.state->goal_action[0] == kLeft);
  CHECK(scene.goal_position(1)[1] == doctest::Approx(-0.99));
  CHECK(scene.goal_velocity(1)[1] == doctest::Approx(0.375));
  CHECK(scene.goal_velocity(1)[0] == doctest::Approx(0.3));
  CHECK(scene.state->goal_action[1] == kRight);  // it crossed the other axis
}

TEST_CASE("a prey thrown across the whole arena is reflected as often as it takes, and piles up nowhere") {
  Preys scene(1, 1, preys(3));
  for (int i = 0; i < 3; ++i) scene.state->goal_action[i] = kRight;
  scene.goal(0, 0, 0.5, 0, 20, 0);     // 2.5 -> -0.5: once, just not touching the other side
  scene.goal(1, 0, 0.5, 0.1, 30, 0);   // 3.5 -> -1.5 -> -0.5: twice
  scene.goal(2, 0, 0.5, 0.2, 113, 0);  // 11.8 is 12, three periods, less 0.2
  scene.move();
  CHECK(scene.goal_position(0)[0] == doctest::Approx(-0.5));
  CHECK(scene.goal_velocity(0)[0] < 0);
  CHECK(scene.state->goal_action[0] == kLeft);
  CHECK(scene.goal_position(1)[0] == doctest::Approx(-0.5));
  CHECK(scene.goal_velocity(1)[0] > 0);
  CHECK(scene.state->goal_action[1] == kRight);
  CHECK(scene.goal_position(2)[0] == doctest::Approx(-0.2));
  CHECK(scene.goal_velocity(2)[0] > 0);
}

TEST_CASE("preys hold their actions, which are all redrawn when t mod 5 = 0") {
  Preys scene(1, 1, preys(6));
  for (int i = 0; i < 6; ++i) scene.goal(i, 0, 0, -0.5 + 0.2 * i);
  scene.skill = {0};
  int changes = 0;
  for (scene.t = 0; scene.t < 50;) {
    const int t = scene.t;
    for (int i = 0; i < 6; ++i) scene.put(scene.world.first_goal() + i, 0, -0.5 + 0.2 * i);  // away from the border
    const ParticleState before = *scene.state;
    scene.move();
    const bool same = std::memcmp(before.goal_action, scene.state->goal_action, 6) == 0;
    if (t % 5 != 0) CHECK(same);
    if (t % 5 == 0) {
      changes += !same;
      Draws draws(11, Stream::prey, static_cast<std::uint64_t>(t), 5, 3);
      for (int i = 0; i < 6; ++i) CHECK(scene.state->goal_action[i] == draws.below(5));
    }
  }
  CHECK(changes >= 9);
}

TEST_CASE("the nearest goal of a type is the target, ties to the lowest index; a type with none is unreachable") {
  Landmarks scene(1, 3, tiny_bodies(3));
  scene.follower(0, 0, 0);
  scene.goal(0, 1, 0.9, 0);
  scene.goal(1, 1, 0, 0.8);
  scene.goal(2, 0, -0.5, 0);
  scene.world.refresh(*scene.state);
  const auto planned = [&](std::int8_t chosen) {
    std::uint8_t action = 99;
    scene.world.plan(*scene.state, &chosen, &action);
    return static_cast<int>(action);
  };
  CHECK(planned(1) == kUp);
  CHECK(planned(0) == kLeft);
  CHECK(scene.world.available(*scene.state, 1) == 2);
  CHECK(scene.world.available(*scene.state, 2) == 0);
  CHECK(scene.world.distance(*scene.state, 0, 2) == kNone);
  CHECK(scene.world.distance(*scene.state, 0, 0) < scene.world.distance(*scene.state, 0, 1));
  scene.goal(1, 1, 0, 0.9);
  scene.world.refresh(*scene.state);
  CHECK(planned(1) == kRight);
  CHECK(planned(kNone) == kNoop);
  scene.follower(0, 0, 0, 2, -0.5);
  scene.world.refresh(*scene.state);
  CHECK(planned(kNone) == kLeft);  // brakes
}

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
      std::vector<std::uint8_t> action(count), skill(count), reached(count), twice(count);
      std::vector<std::int8_t> committed(count), chosen(count);
      Draws random(1, Stream::noise, 0, static_cast<std::uint64_t>(n), static_cast<std::uint64_t>(targets));
      for (std::int64_t episode = 0; episode < 4; ++episode) {
        Draws draws(2, Stream::reset, 0, static_cast<std::uint64_t>(episode), 0);
        world.reset(*state, draws);
        world.refresh(*state);
        *twin = *state;
        for (int t = 0; t < 50; ++t) {
          for (std::size_t k = 0; k < count; ++k) {
            skill[k] = static_cast<std::uint8_t>(random.below(16));
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

namespace {

/// Visits state fields: writes `value` to the element (0, 0) of the named field, or reads it.
struct First {
  std::string name;
  double value = 0;
  bool write = false;
  std::vector<std::string> names{};
  template <class T, class Get, class Set>
  void operator()(const char* field, const char*, Shape, T, Get&& get, Set&& set) {
    names.push_back(field);
    if (name != field) return;
    if (write) set(0, 0, static_cast<T>(value));
    else value = static_cast<double>(get(0, 0));
  }
};

/// Lists observation fields with their values.
struct Observed {
  std::vector<std::string> names{};
  std::vector<double> values{};
  template <class Get>
  void operator()(const char* name, const char*, Shape shape, Get&& get) {
    add(name, shape, get);
  }
  template <class Get>
  void operator()(const char* name, const char*, Shape shape, float, Get&& get) {
    add(name, shape, get);
  }
  template <class Get>
  void add(const char* name, Shape shape, Get&& get) {
    names.push_back(name);
    for (int i = 0; i < shape.outer(); ++i) {
      for (int j = 0; j < shape.inner(); ++j) values.push_back(static_cast<double>(get(i, j)));
    }
  }
};

}  // namespace

TEST_CASE("state fields can be read and set, within their ranges") {
  Preys scene(2, 4, preys(3, 1));
  const auto visit = [&](First first) {
    scene.world.visit(*scene.state, first);
    return first;
  };
  CHECK(visit({"none"}).names == std::vector<std::string>{"position", "velocity", "goal_type", "goal_position",
                                                          "goal_velocity", "goal_action", "obstacle_position"});
  for (const char* name : {"position", "velocity", "goal_position", "goal_velocity", "obstacle_position"}) {
    CAPTURE(name);
    visit({name, 0.125, true});
    CHECK(visit({name}).value == 0.125);
    for (const double wrong : {std::nan(""), kInfinity, -kInfinity, 1e30})
      CHECK_THROWS_WITH_AS(visit({name, wrong, true}), doctest::Contains(name), std::invalid_argument);
    CHECK(visit({name}).value == 0.125);
  }
  CHECK_THROWS_WITH_AS(visit({"goal_position", 1.01, true}), doctest::Contains("goal_position"), std::invalid_argument);
  CHECK_THROWS_AS(visit({"goal_type", 4, true}), std::invalid_argument);
  CHECK_THROWS_AS(visit({"goal_action", 5, true}), std::invalid_argument);
  CHECK_THROWS_AS(visit({"goal_action", -1, true}), std::invalid_argument);

  Landmarks without(2, 4, tiny_bodies(3));
  First fields{"none"};
  without.world.visit(*without.state, fields);
  CHECK(fields.names == std::vector<std::string>{"position", "velocity", "goal_type", "goal_position"});
}

TEST_CASE("observations list integers, then floats") {
  Preys scene(1, 4, preys(1, 1));
  scene.follower(0, 1, 2, 3, 4);
  scene.goal(0, 3, 0.5, 0.25, -0.5, -0.25);
  Observed seen;
  scene.world.observe(*scene.state, seen);
  CHECK(seen.names == std::vector<std::string>{"goal_type", "position", "velocity", "goal_position", "goal_velocity",
                                               "obstacle_position"});
  CHECK(seen.values == std::vector<double>{3, 1, 2, 3, 4, 0.5, 0.25, -0.5, -0.25, 0.5, static_cast<float>(-0.7)});
}

TEST_CASE("two colliding bodies on one point are no legal state") {
  Preys scene(2, 1, preys(1, 1));
  REQUIRE_NOTHROW(scene.world.validate(*scene.state));
  scene.follower(1, scene.goal_position(0)[0], scene.goal_position(0)[1]);
  CHECK_THROWS_WITH_AS(scene.world.validate(*scene.state), doctest::Contains("goal_position (goal 0)"),
                       std::invalid_argument);
  Landmarks navigation(1, 1, tiny_bodies(1));  // a landmark is no body
  navigation.follower(0, navigation.goal_position(0)[0], navigation.goal_position(0)[1]);
  CHECK_NOTHROW(navigation.world.validate(*navigation.state));
}

TEST_CASE("parameters out of range are named") {
  const auto rejects = [](const char* name, auto change, int n = 4, int types = 4) {
    ParticleConfig config;
    change(config);
    CAPTURE(name);
    CHECK_THROWS_WITH_AS(NavigationWorld(n, types, config), doctest::Contains(name), std::invalid_argument);
  };
  rejects("num_targets", [](ParticleConfig& c) { c.num_targets = 65; });
  rejects("num_obstacles", [](ParticleConfig& c) { c.num_obstacles = -1; });
  rejects("reach_by", [](ParticleConfig& c) { c.reach_by = "luck"; });
  rejects("body_size", [](ParticleConfig& c) { c.body_size = 0; });
  rejects("body_max_speed", [](ParticleConfig& c) { c.body_max_speed = std::nan(""); });
  rejects("prey_hold", [](ParticleConfig& c) { c.prey_hold = 0; });
  rejects("num_followers", [](ParticleConfig&) {}, 65);
  rejects("num_goals", [](ParticleConfig&) {}, 4, 9);
}

}  // namespace paymaster::test
