// Goals of the particle worlds: who takes one, what becomes of it, where preys may be, which is the target.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "support/particle_scene.hpp"

namespace paymaster::test {

TEST_CASE("two at one goal: committed to its type, then nearest, then lowest index") {
  const auto play = [](double x0, double x1, std::vector<std::int8_t> committed, std::vector<GoalSet> skill) {
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

}  // namespace paymaster::test
