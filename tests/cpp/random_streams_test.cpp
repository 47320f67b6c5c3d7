// Random streams of offers over every task and random variants of it: nothing fails, the rules hold step by step
// (support/match.hpp), and the number of threads does not matter. PAYMASTER_STREAM_STEPS sets how many steps of games
// are played in all; CONTRIBUTING.md has the command for ten million under sanitizers.
#include <doctest/doctest.h>

#include <cstdlib>

#include "support/match.hpp"
#include "support/variants.hpp"
#include "tasks/tasks.hpp"

namespace paymaster::test {
namespace {

long long stream_steps() {
  const char* steps = std::getenv("PAYMASTER_STREAM_STEPS");
  return steps != nullptr ? std::atoll(steps) : 60000;
}

/// Plays stream number `stream`; returns the steps of its games.
long long play(std::size_t stream) {
  Random random(stream);
  const Task& task = tasks()[stream % tasks().size()];
  const Variant v = random_variant(task.preset, random);
  Match match(v.game, v.batch, v.twins, v.change_percent);
  const auto games = static_cast<std::size_t>(v.batch.num_envs);
  for (int t = 0; t < v.steps; ++t) {
    CAPTURE(t);
    match.step();
    if (random.chance(2)) match.round_trip();
    if (!random.chance(3)) continue;
    Flags mask(games);
    for (std::size_t game = 0; game < games; ++game) mask.data[game] = random.chance(50);
    match.reset(mask.data.get());
  }
  match.finish();
  return static_cast<long long>(v.batch.num_envs) * v.steps;
}

}  // namespace

TEST_CASE("random streams over all tasks and their variants keep the rules, on 1, 2 and 4 threads") {
  const long long wanted = stream_steps();
  long long played = 0;
  for (std::size_t stream = 0; played < wanted; ++stream) {
    CAPTURE(stream);
    played += play(stream);
  }
  MESSAGE(played << " steps of games played");
}

}  // namespace paymaster::test
