// Situations on the grid, drawn: ^ < v > are followers and where they look, a and b resources of type 0 and 1. Both are
// numbered row by row.
#include "worlds/grid/grid.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/maps.hpp"

namespace paymaster::test {
namespace {

constexpr GoalSet kAll = 0xff, kUnskilled = 0;

/// A drawn situation, and what happens in it.
struct Scene {
  GameConfig config;
  GridState<2> state{};
  std::vector<GoalSet> reached;

  explicit Scene(const std::string& picture) {
    constexpr char looks[] = "^<v>";
    config.set_world(kGrid);
    config.num_goals = 2;
    config.num_followers = config.own<GridConfig>().num_resources = 0;
    int cell = 0;
    for (const char sign : picture) {
      const bool wall = sign == '#' || sign == '\n';
      config.own<GridConfig>().map += wall ? sign : '.';
      if (sign == '\n') continue;
      const auto look = std::string(looks).find(sign);
      if (look != std::string::npos) {
        state.cell[config.num_followers] = static_cast<std::uint16_t>(cell);
        state.heading[config.num_followers++] = static_cast<std::uint8_t>(look);
      } else if (sign == 'a' || sign == 'b') {
        const int i = config.own<GridConfig>().num_resources++;
        state.resource_cell[i] = static_cast<std::uint16_t>(cell);
        state.resource_type[i] = static_cast<std::uint8_t>(sign - 'a');
        state.claimant[i] = kNone;
        state.present[i] = true;
      }
      ++cell;
    }
    world().refresh(state);
  }

  GridWorld<2> world() const { return GridWorld<2>(config); }

  void act(const std::vector<std::uint8_t>& actions, std::vector<GoalSet> skill = {}) {
    skill.resize(actions.size(), kAll);
    reached.assign(actions.size(), 0xee);
    world().move(state, {.action = actions.data(), .skill = skill.data()}, reached.data());
    world().refresh(state);
  }

  std::vector<int> distances(int follower) const {
    return {world().distance(state, follower, 0), world().distance(state, follower, 1)};
  }

  /// First action of each follower towards the goal type it has chosen.
  std::vector<int> plan(const std::vector<std::int8_t>& chosen) const {
    std::vector<std::uint8_t> actions(chosen.size());
    world().plan(state, chosen.data(), actions.data());
    return {actions.begin(), actions.end()};
  }

  std::string drawn() const {
    const GridMap map = GridMap::parse(config.own<GridConfig>().map);
    std::string picture;
    for (const auto free : map.free) picture += free ? '.' : '#';
    for (int i = 0; i < config.own<GridConfig>().num_resources; ++i) {
      if (state.present[i]) picture[state.resource_cell[i]] = static_cast<char>('a' + state.resource_type[i]);
    }
    for (int k = 0; k < config.num_followers; ++k) picture[state.cell[k]] = "^<v>"[state.heading[k]];
    return picture.substr(static_cast<std::size_t>(map.columns + 1), static_cast<std::size_t>(map.columns - 2));
  }
};

/// The only row of a corridor.
Scene corridor(const std::string& row) {
  const std::string wall(row.size() + 2, '#');
  return Scene(wall + "\n#" + row + "#\n" + wall);
}

/// The corridor after one step.
std::string after(const std::string& row, const std::vector<std::uint8_t>& actions) {
  Scene scene = corridor(row);
  scene.act(actions);
  return scene.drawn();
}

}  // namespace

TEST_CASE("moves resolve in follower order") {
  CHECK(after(">.", {kMove}) == ".>");
  CHECK(after(">", {kMove}) == ">");             // wall ahead
  CHECK(after(">a", {kMove}) == ">a");           // a resource ahead
  CHECK(after("<.", {kMove}) == "<.");           // backwards is not a move
  CHECK(after(".<<", {kMove, kMove}) == "<<.");  // an earlier follower's old cell is free
  CHECK(after(">>.", {kMove, kMove}) == ">.>");  // a later follower's old cell is not
  CHECK(after("><", {kMove, kMove}) == "><");    // no swaps
  CHECK(after(">.<", {kMove, kMove}) == ".><");  // the first has it
  CHECK(after(">.<", {kStop, kMove}) == "><.");
}

TEST_CASE("turning always works: left is up, left, down, right") {
  CHECK(after("^", {kTurnLeft}) == "<");
  CHECK(after("<", {kTurnLeft}) == "v");
  CHECK(after("v", {kTurnLeft}) == ">");
  CHECK(after(">", {kTurnLeft}) == "^");
  CHECK(after("^", {kTurnRight}) == ">");
  CHECK(after(">", {kTurnRight}) == "v");
}

TEST_CASE("dig with the skill: claimed, and removed at the end of the step") {
  Scene scene = corridor(">a<");
  scene.act({kDig, kMove});
  CHECK(scene.drawn() == ">.<");  // it still blocked its cell when the second follower moved
  CHECK(scene.state.claimant[0] == 0);
  CHECK(scene.reached == std::vector<GoalSet>{0b01, 0});
  CHECK(scene.world().exhausted(scene.state));
}

TEST_CASE("dig without the skill: claimed for good, nobody else can use it") {
  Scene scene = corridor(">b<");
  scene.act({kDig, kStop}, {0b01, kAll});  // only type 0
  CHECK(scene.drawn() == ">b<");
  CHECK(scene.state.claimant[0] == 0);
  CHECK(scene.reached[0] == 0);
  CHECK(scene.distances(0) == std::vector<int>{kNone, 0});      // its own, straight ahead
  CHECK(scene.distances(1) == std::vector<int>{kNone, kNone});  // claimed by another
  CHECK(scene.world().available(scene.state, 1) == 0);
  scene.act({kStop, kDig});
  CHECK(scene.drawn() == ">b<");
  CHECK(scene.state.claimant[0] == 0);
  scene.act({kTurnLeft, kStop});
  CHECK(scene.distances(0) == std::vector<int>{kNone, kNone});  // no longer straight ahead
  scene.act({kTurnRight, kStop});
  scene.act({kDig, kStop});  // skilled now
  CHECK(scene.drawn() == ">.<");
  CHECK(scene.reached[0] == 0b10);
}

TEST_CASE("two dig the same resource: the first follower has it") {
  Scene scene = corridor(">a<");
  scene.act({kDig, kDig}, {kUnskilled, kAll});
  CHECK(scene.drawn() == ">a<");
  CHECK(scene.state.claimant[0] == 0);
  CHECK(scene.reached == std::vector<GoalSet>{0, 0});
}

TEST_CASE("dig at nothing does nothing") {
  Scene scene = corridor(">.a");
  scene.act({kDig});
  CHECK(scene.drawn() == ">.a");
  CHECK(scene.state.claimant[0] == kNone);
  CHECK(scene.reached[0] == 0);
}

TEST_CASE("routes: one's own claimed resource is a target as long as another of the type is unclaimed") {
  Scene scene = corridor("a>.a");
  CHECK(scene.distances(0) == std::vector<int>{1, kNone});
  scene.state.claimant[0] = 0;  // the one behind, two turns away
  scene.world().refresh(scene.state);
  CHECK(scene.distances(0)[0] == 1);
  scene.state.claimant[1] = 0;  // now all are claimed and none is straight ahead
  scene.world().refresh(scene.state);
  CHECK(scene.distances(0)[0] == kNone);
  scene.state.claimant[0] = kNone;  // the other way round
  scene.world().refresh(scene.state);
  CHECK(scene.distances(0)[0] == 1);
  Scene near_own = corridor("a>....a");
  near_own.state.claimant[0] = 0;
  near_own.world().refresh(near_own.state);
  CHECK(near_own.distances(0)[0] == 2);  // its own is nearer than the unclaimed one
  CHECK(near_own.plan({0}) == std::vector<int>{kTurnLeft});
  CHECK(near_own.world().available(near_own.state, 0) == 1);
}

TEST_CASE("routes: others stand in the way and resources too") {
  CHECK(corridor(">.<.a").distances(0)[0] == kNone);
  CHECK(corridor(">.b.a").distances(0) == std::vector<int>{kNone, 1});
  Scene scene(R"(
######
#>a.b#
#....#
######)");
  CHECK(scene.distances(0) == std::vector<int>{0, 7});
  CHECK(scene.plan({0}) == std::vector<int>{kDig});
  CHECK(scene.plan({1}) == std::vector<int>{kTurnRight});
  CHECK(scene.plan({kNone}) == std::vector<int>{kStop});
}

TEST_CASE("noise plays a movement action or stop") {
  CHECK(GridWorld<2>::kNoiseActions == 4);
  constexpr int expected[] = {kMove, kTurnLeft, kTurnRight, kStop};
  for (std::uint32_t i = 0; i < 4; ++i) CHECK(GridWorld<2>::noise_action(i) == expected[i]);
}

TEST_CASE("reset: everybody on a free cell of its own, resources gather by type") {
  GameConfig config;
  config.set_world(kGrid);
  config.own<GridConfig>().map = kRooms;
  config.own<GridConfig>().num_resources = 24;
  config.num_followers = 8;
  const GridWorld<2> world(config);
  const auto& ahead = world.map().ahead;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    Draws draws(seed, Stream::reset, 0, 0, 0);
    GridState<2> s{};
    world.reset(s, draws);
    REQUIRE_NOTHROW(world.validate(s));
    std::vector<bool> free(world.map().free.begin(), world.map().free.end());
    for (int i = 0; i < config.own<GridConfig>().num_resources; ++i) {
      // Beside an earlier one of its type, unless there was none or one of them was closed in.
      bool first = true, beside = false, closed_in = false;
      for (int j = 0; j < i; ++j) {
        if (s.resource_type[j] != s.resource_type[i]) continue;
        first = false;
        bool room = false;
        for (const int offset : ahead) {
          const int cell = s.resource_cell[j] + offset;
          beside = beside || cell == s.resource_cell[i];
          room = room || free[static_cast<std::size_t>(cell)];
        }
        closed_in = closed_in || !room;
      }
      REQUIRE((first || beside || closed_in));
      free[s.resource_cell[i]] = false;
    }
  }
}

}  // namespace paymaster::test
