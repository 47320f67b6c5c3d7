// Situations of the crafting world: followers before its stations, with an inventory.
#include "worlds/grid/crafting.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "game/population.hpp"
#include "support/maps.hpp"
#include "tasks/tasks.hpp"

namespace paymaster::test {
namespace {

constexpr GoalSet kAll = 0xff;

int cell_at(int row, int column) { return row * kCraftingSide + column; }

/// Followers who look right at the station of item 4 from (3, 4), up at it from (4, 5), and at a free cell.
struct Workshop {
  GameConfig config = find_task("crafting").preset;
  CraftingState state{};
  std::vector<GoalSet> reached;

  Workshop() {
    config.num_followers = 3;
    Draws draws(1, Stream::reset, 0, 0, 0);
    world().reset(state, draws);
    for (int i = 0; i < 10; ++i) state.present[i] = false;
    const int cells[] = {cell_at(3, 4), cell_at(4, 5), cell_at(8, 1)};
    const std::uint8_t headings[] = {3, 0, 0};
    for (int k = 0; k < 3; ++k) {
      state.cell[k] = static_cast<std::uint16_t>(cells[k]);
      state.heading[k] = headings[k];
    }
    world().refresh(state);
  }

  CraftingWorld world() const { return CraftingWorld(config); }
  int claimant(int item) const { return state.claimant[10 + item - kRawTypes]; }
  std::vector<int> inventory() const { return {state.inventory, state.inventory + kCraftingGoals}; }
  void have(const std::vector<int>& counts) {
    for (std::size_t g = 0; g < counts.size(); ++g) state.inventory[g] = static_cast<std::int16_t>(counts[g]);
  }
  void act(const std::vector<std::uint8_t>& actions, std::vector<GoalSet> skill = {}) {
    skill.resize(actions.size(), kAll);
    reached.assign(actions.size(), 0xee);
    world().move(state, {.action = actions.data(), .skill = skill.data()}, reached.data());
    world().refresh(state);
  }
};

}  // namespace

TEST_CASE("crafting: without its materials nothing happens, not even a claim") {
  Workshop shop;
  shop.have({1, 0});
  shop.act({kCraft, kCraftingStop, kCraftingStop});
  CHECK(shop.reached == std::vector<GoalSet>{0, 0, 0});
  CHECK(shop.claimant(4) == kNone);
  CHECK(shop.inventory() == std::vector<int>{1, 0, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("crafting: the first has the station for the step; materials go at once, the item comes at its end") {
  Workshop shop;
  shop.have({2, 2});
  shop.act({kCraft, kCraft, kCraftingStop});
  CHECK(shop.reached == std::vector<GoalSet>{set_of(4), 0, 0});
  CHECK(shop.inventory() == std::vector<int>{1, 1, 0, 0, 1, 0, 0, 0});
  CHECK(shop.claimant(4) == kNone);
  shop.act({kCraftingStop, kCraft, kCraftingStop});
  CHECK(shop.reached == std::vector<GoalSet>{0, set_of(4), 0});
  CHECK(shop.inventory() == std::vector<int>{0, 0, 0, 0, 2, 0, 0, 0});
}

TEST_CASE("crafting: who lacks the skill takes nothing and spoils the station for the others") {
  Workshop shop;
  shop.have({1, 1});
  shop.act({kCraft, kCraft, kCraftingStop}, {0x0f, kAll, kAll});
  CHECK(shop.reached == std::vector<GoalSet>{0, 0, 0});
  CHECK(shop.inventory() == std::vector<int>{1, 1, 0, 0, 0, 0, 0, 0});
  CHECK(shop.claimant(4) == 0);
  CHECK(shop.world().distance(shop.state, 0, 4) == 0);  // its own, straight ahead
  CHECK(shop.world().distance(shop.state, 1, 4) == kNone);
  CHECK(shop.world().available(shop.state, 4) == 0);
  shop.act({kTurnLeft, kCraft, kCraftingStop}, {0x0f, kAll, kAll});
  CHECK(shop.claimant(4) == 0);
  CHECK(shop.world().distance(shop.state, 0, 4) == kNone);  // claimed, and not ahead
}

TEST_CASE("crafting: what is dug can be used in the next step") {
  Workshop shop;
  shop.state.present[0] = true;
  shop.state.resource_cell[0] = static_cast<std::uint16_t>(cell_at(7, 1));
  shop.state.resource_type[0] = 1;
  shop.have({1, 0});
  shop.world().refresh(shop.state);
  std::swap(shop.state.cell[0], shop.state.cell[2]);  // the digger is first
  std::swap(shop.state.heading[0], shop.state.heading[2]);
  shop.act({kDig, kCraft, kCraft});
  CHECK(shop.reached == std::vector<GoalSet>{set_of(1), 0, 0});
  CHECK(shop.inventory() == std::vector<int>{1, 1, 0, 0, 0, 0, 0, 0});
  shop.act({kCraftingStop, kCraftingStop, kCraft});
  CHECK(shop.reached == std::vector<GoalSet>{0, 0, set_of(4)});
}

TEST_CASE("crafting: two top-level items end the episode, an empty ground does not") {
  Workshop shop;
  CHECK_FALSE(shop.world().exhausted(shop.state));
  shop.have({0, 0, 0, 0, 5, 5, 1, 0});
  CHECK_FALSE(shop.world().exhausted(shop.state));
  shop.have({0, 0, 0, 0, 0, 0, 1, 1});
  CHECK(shop.world().exhausted(shop.state));
  shop.have({0, 0, 0, 0, 0, 0, 0, 2});
  CHECK(shop.world().exhausted(shop.state));
}

TEST_CASE(
    "crafting: plans end with craft at a station, stop where nothing is within reach, and walk on without materials") {
  Workshop shop;
  std::vector<std::uint8_t> actions(3);
  const std::int8_t chosen[] = {4, 0, kNone};
  shop.world().plan(shop.state, chosen, actions.data());
  CHECK(actions == std::vector<std::uint8_t>{kCraft, kCraftingStop, kCraftingStop});
  CHECK(shop.world().distance(shop.state, 2, 5) == 5);  // three up, a turn, one to the right
}

TEST_CASE("crafting: first units lie in the corners, nothing on stations, on both maps") {
  GameConfig config = find_task("crafting").preset;
  for (const char* map : {"", kCraftingObstacles}) {
    config.own<CraftingConfig>().map = map;
    const CraftingWorld world(config);
    for (std::uint64_t episode = 0; episode < 300; ++episode) {
      CAPTURE(episode);
      CraftingState s{};
      Draws draws(7, Stream::reset, 0, episode, 0);
      world.reset(s, draws);
      world.refresh(s);
      int of_type[kRawTypes] = {};
      for (int i = 0; i < 10; ++i) ++of_type[s.resource_type[i]];
      for (std::size_t type = 0; type < kRawTypes; ++type) {
        CHECK(of_type[type] >= 2);
        CHECK(s.resource_cell[2 * type] == cell_at(kCorners[type][0], kCorners[type][1]));
      }
      CHECK_NOTHROW(world.validate(s));
    }
  }
}

TEST_CASE("crafting: balanced kinds, raw preferences, and teams that can craft a top-level item") {
  const GameConfig config = find_task("multi_bonus_crafting").preset;
  const Population people = Population::drawn(config);
  for (int i = 0; i < people.size(); ++i) {
    CHECK(people[i].skill == (0x0f | set_of(4 + i % 4)));
    CHECK(people[i].preference < kRawTypes);
    CHECK((people[i].reservation >= 1 && people[i].reservation <= 3));
  }
  const auto fits = [](std::vector<GoalSet> skill) {
    return CraftingWorld::team_fits(skill.data(), static_cast<int>(skill.size()));
  };
  CHECK(fits({set_of(4), set_of(6)}));
  CHECK(fits({set_of(5) | set_of(7)}));
  CHECK_FALSE(fits({set_of(4), set_of(7)}));
  CHECK_FALSE(fits({set_of(5), set_of(6)}));
  CHECK_FALSE(fits({kAll & ~set_of(6) & ~set_of(7)}));
}

}  // namespace paymaster::test
