// Followers' traits and the draw of an episode's followers.
#include "game/population.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <set>

#include "tasks/tasks.hpp"

namespace paymaster {
namespace {

std::vector<std::uint16_t> draw(const Population& population, int n, std::uint64_t seed, std::uint64_t episode = 0,
                                std::uint64_t environment = 0) {
  std::vector<std::uint16_t> identity(static_cast<std::size_t>(n));
  Draws draws(seed, Stream::reset, 0, episode, environment);
  population.draw_episode(draws, n, identity.data());
  return identity;
}

bool all_different(const std::vector<std::uint16_t>& identity) {
  return std::set<std::uint16_t>(identity.begin(), identity.end()).size() == identity.size();
}

Population of_kinds(const std::vector<int>& skills) {
  std::vector<Traits> traits;
  for (const int skill : skills) traits.push_back({static_cast<GoalSet>(skill), 0, 1.0f});
  return Population(traits);
}

}  // namespace

TEST_CASE("Population: drawn traits, those of the slow reference (tests/reference/population.py)") {
  struct Expected {
    const char* task;
    Traits first[5];
    std::vector<std::uint16_t> drawn;  // seed 7, episode 3, environment 5
  };
  const Expected cases[] = {
      {"multi_bonus_resource_collection", {{14, 1, 1}, {14, 2, 3}, {14, 1, 2}, {11, 0, 2}, {7, 1, 2}}, {30, 10, 7, 22}},
      {"multi_bonus_resource_collection_one_skill",
       {{8, 1, 2}, {2, 0, 3}, {2, 2, 1}, {8, 3, 2}, {2, 3, 2}},
       {30, 9, 11, 15}},
  };
  for (const Expected& expected : cases) {
    CAPTURE(expected.task);
    GameConfig config = find_task(expected.task).preset;
    config.population_seed = 7;
    const Population population = Population::drawn(config);
    CHECK(population.size() == 40);
    for (int i = 0; i < 5; ++i) {
      CHECK(population[i].skill == expected.first[i].skill);
      CHECK(population[i].preference == expected.first[i].preference);
      CHECK(population[i].reservation == expected.first[i].reservation);
    }
    CHECK(draw(population, 4, 7, 3, 5) == expected.drawn);
  }
}

TEST_CASE("Population: drawn traits respect the task's parameters") {
  for (const Task& task : tasks()) {
    CAPTURE(task.name);
    GameConfig config = task.preset;
    config.population_size = 500;
    const Population population = Population::drawn(config);
    std::set<int> preferences, reservations;
    for (int i = 0; i < population.size(); ++i) {
      const Traits& t = population[i];
      REQUIRE(std::popcount(t.skill) == config.skills_per_follower);
      REQUIRE(t.skill < 1 << config.num_goals);
      if (config.preference_among_skills) REQUIRE((t.skill >> t.preference & 1) == 1);
      preferences.insert(t.preference);
      reservations.insert(static_cast<int>(t.reservation));
    }
    const bool crafts = task.name.find("crafting") != std::string::npos;  // where nobody prefers an item
    CHECK(static_cast<int>(preferences.size()) == (crafts ? 4 : config.num_goals));
    CHECK(*preferences.begin() == 0);
    CHECK(*preferences.rbegin() == static_cast<int>(preferences.size()) - 1);
    CHECK(static_cast<int>(reservations.size()) == config.max_reservation);
    CHECK(*reservations.begin() == 1);
    CHECK(*reservations.rbegin() == config.max_reservation);
  }
}

TEST_CASE("Population: an episode's followers are different, neighbours differ in kind") {
  for (const Task& task : tasks()) {
    CAPTURE(task.name);
    const Population population = Population::drawn(task.preset);
    std::set<std::uint16_t> met;
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
      const auto identity = draw(population, 4, seed);
      REQUIRE(all_different(identity));
      for (std::size_t k = 1; k < identity.size(); ++k)
        REQUIRE(population[identity[k]].skill != population[identity[k - 1]].skill);
      met.insert(identity.begin(), identity.end());
    }
    CHECK(met.size() == 40);  // everybody gets a turn
  }
}

TEST_CASE("Population: when nobody of another kind is left, anybody is drawn") {
  const Population population = of_kinds({1, 2, 4, 4, 4, 4});
  int equal_neighbours = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto identity = draw(population, 6, seed);
    REQUIRE(all_different(identity));  // the whole population
    for (std::size_t k = 1; k < 6; ++k)
      equal_neighbours += population[identity[k]].skill == population[identity[k - 1]].skill;
  }
  CHECK(equal_neighbours >= 200);  // four of a kind among six: there is always such a pair
}

TEST_CASE("Population: with fewer than three kinds neighbours may be equal") {
  for (const std::vector<int>& skills : {std::vector<int>(6, 1), std::vector<int>{1, 1, 1, 2, 2, 2}}) {
    const Population population = of_kinds(skills);
    int equal_neighbours = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      const auto identity = draw(population, 2, seed);
      REQUIRE(all_different(identity));
      equal_neighbours += population[identity[0]].skill == population[identity[1]].skill;
    }
    CHECK(equal_neighbours > 40);
  }
}

}  // namespace paymaster
