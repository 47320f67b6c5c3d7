// Random play of every grid task, on maps of every size, with one to sixteen followers: each step keeps the rules of
// tasks.md (support/rules.hpp). PAYMASTER_TEST_STEPS sets how long each variant is played.
#include <doctest/doctest.h>

#include <array>

#include "support/maps.hpp"
#include "support/match.hpp"

namespace paymaster::test {
namespace {

Match match_of(const GameConfig& config, std::uint64_t seed) {
  return Match(config, {.num_envs = 3, .seed = seed, .num_threads = 1});
}

/// Maps of two and of four words, with room for sixteen followers and thirty resources.
std::vector<std::string> small_maps() {
  Random random(3);
  return {"", kRooms, random_map(random, 12, 10, 20), random_map(random, 16, 15, 20)};
}

/// Maps of 8, 16 and 64 words.
std::vector<std::string> large_maps() {
  Random random(4);
  return {random_map(random, 22, 23, 20), random_map(random, 31, 33, 20), random_map(random, 16, 255, 20),
          random_map(random, 64, 64, 20)};
}

/// Grid task number `task` with as much variety in the other parameters as `variant` gives.
GameConfig varied(std::size_t task, const std::string& map, int followers, std::size_t variant) {
  GameConfig config = grid_tasks()[task];
  config.own<GridConfig>().map = map;
  config.num_followers = followers;
  config.own<GridConfig>().num_resources = std::array{10, 1, 30}[variant % 3];
  config.noise = std::array{0.0, 0.0, 0.0, 0.3, 1.0}[variant % 5];
  config.abstain = variant % 2 == 0;
  config.horizon = variant % 7 == 0 ? 7 : 30;
  return config;
}

}  // namespace

TEST_CASE("every grid task on small maps with 1 to 16 followers keeps the rules, step by step") {
  std::size_t variant = 0;
  for (std::size_t task = 0; task < grid_tasks().size(); ++task) {
    for (const std::string& map : small_maps()) {
      for (const int followers : {1, 2, 4, 9, 16}) {
        ++variant;
        CAPTURE(variant);
        CAPTURE(map);
        Match match = match_of(varied(task, map, followers, variant), variant);
        for (int t = 0; t < steps_to_play(70); ++t) {
          CAPTURE(t);
          match.step(t % 4 == 0);
        }
      }
    }
  }
}

TEST_CASE("every grid task on large maps keeps the rules, step by step") {
  std::size_t variant = 0;
  for (std::size_t task = 0; task < grid_tasks().size(); ++task) {
    for (const std::string& map : large_maps()) {
      ++variant;
      CAPTURE(variant);
      CAPTURE(map);
      GameConfig config = varied(task, map, std::array{1, 6, 11, 16}[task % 4], variant);
      config.horizon = 5;
      Match match = match_of(config, variant);
      for (int t = 0; t < steps_to_play(70) / 7; ++t) {
        CAPTURE(t);
        match.step(t % 4 == 0);
      }
    }
  }
}

}  // namespace paymaster::test
