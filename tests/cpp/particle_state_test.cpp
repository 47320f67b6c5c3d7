// What a particle world shows, stores and refuses.
#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "support/particle_scene.hpp"

namespace paymaster::test {
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
  template <class T, class Get>
  void operator()(const char* name, const char*, Shape shape, Range<T>, Get&& get) {
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
