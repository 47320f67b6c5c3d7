// The features' numbers are compared with NumPy's in tests/python/test_features_reference.py. Here: every value is
// written and no other (under the address sanitizer), in every task and random variants of it; what is refused.
#include "features/features.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>

#include "support/test_batch.hpp"
#include "support/variants.hpp"
#include "tasks/tasks.hpp"

namespace paymaster::test {
namespace {

constexpr float kUnwritten = std::numeric_limits<float>::quiet_NaN();

/// Arrays of just the size that features of a batch have.
struct Features {
  Features(const FeatureEncoder& encoder, const GameConfig& config, int games)
      : pairs(static_cast<std::size_t>(games * config.num_followers)),
        follower(pairs * static_cast<std::size_t>(encoder.follower_features()), kUnwritten),
        goal(pairs * static_cast<std::size_t>(encoder.candidates() * encoder.goal_features()), kUnwritten),
        ended(pairs) {}

  FeatureArrays pointers() { return {follower.data(), goal.data(), ended.data.get()}; }

  std::size_t pairs;
  std::vector<float> follower, goal;
  Flags ended;
};

template <class Predicate>
bool all(const std::vector<float>& values, Predicate holds) {
  return std::all_of(values.begin(), values.end(), holds);
}

/// Features of every step of random play.
void play(const Variant& v) {
  TestBatch batch(v.game, v.batch);
  OfferStream offers(v.batch.seed, v.game, v.batch.num_envs, v.change_percent);
  const FeatureEncoder encoder(v.game);
  const float most = static_cast<float>(std::max(v.game.num_goals, 2));
  for (int t = 0; t < v.steps; ++t) {
    Features features(encoder, v.game, batch.games());
    encoder.encode(batch.seen(), static_cast<std::size_t>(batch.games()), batch.core().statistics(),
                   features.pointers());
    const auto fits = [most](float value) { return std::abs(value) <= most; };  // a NaN does not
    REQUIRE(all(features.follower, fits));
    REQUIRE(all(features.goal, fits));
    Flags alone(features.pairs);
    expired(batch.seen(), static_cast<std::size_t>(batch.games()), static_cast<std::size_t>(v.game.num_followers),
            v.game.num_goals, alone.data.get());
    REQUIRE(alone == features.ended);
    batch.step(offers.next());
  }
}

}  // namespace

TEST_CASE("features: every value is written, in all tasks and their variants") {
  for (std::size_t stream = 0; stream < 5 * tasks().size(); ++stream) {
    CAPTURE(stream);
    Random random(stream);
    Variant v = random_variant(tasks()[stream % tasks().size()].preset, random);
    v.steps = std::min(v.steps, steps_to_play(40));
    v.game.near_goals = static_cast<int>(stream % 4) % (v.game.num_goals + 1);  // 0: all
    play(v);
  }
}

TEST_CASE("features: indices out of range are refused, and nothing is written") {
  const GameConfig config = find_task("resource_collection").preset;
  TestBatch batch(config, {.num_envs = 2, .num_threads = 1});
  const FeatureEncoder encoder(config);
  const std::int16_t low[8] = {-2, -2, -2, -2, -2, -2, -2, -2}, high[8] = {5, 5, 5, 5, 5, 5, 5, 5};
  const std::int16_t nobody[4] = {0, 0, 0, 40};
  const auto refused = [&](auto field, const std::int16_t* values, const char* text) {
    SeenFields seen = batch.seen();
    std::invoke(field, seen) = {values, 0};
    Features features(encoder, config, 2);
    CHECK_THROWS_WITH_AS(encoder.encode(seen, 2, batch.core().statistics(), features.pointers()),
                         doctest::Contains(text), std::invalid_argument);
    CHECK(all(features.follower, [](float value) { return std::isnan(value); }));
    CHECK(all(features.goal, [](float value) { return std::isnan(value); }));
  };
  refused(&SeenFields::identity, nobody,
          "observation['identity'] (game 0, follower 3): expected a value in [0, 39], got 40");
  refused(&SeenFields::identity, low, "observation['identity'] (game 0, follower 0)");
  refused(&SeenFields::action, high, "observation['action'] (game 0, follower 0): expected a value in [-1, 4], got 5");
  refused(&SeenFields::action, low, "got -2");
  refused([](SeenFields& seen) -> auto& { return seen.body_category[0]; }, high,
          "observation['heading'] (game 0, follower 0)");
  SeenFields seen = batch.seen();
  seen.offer = {high, 0};
  Flags ended(8);
  CHECK_THROWS_WITH_AS(expired(seen, 2, 4, 4, ended.data.get()), doctest::Contains("observation['offer']"),
                       std::invalid_argument);
}

TEST_CASE("candidates: the goal type on offer, then the nearest, of equals the first; those out of reach last") {
  const std::int16_t distance[] = {3, 1, kNone, 1, 0, kNone, 7, 2, 2, 0};  // two followers, five goal types
  const std::int16_t offer[] = {2, 1, kNone, kNone};
  using Places = std::vector<std::uint8_t>;
  const auto found = [&](int count) { return nearest_candidates({distance, 10}, {offer, 4}, 1, 2, 5, count); };
  CHECK(found(1) == Places{2, 4});
  CHECK(found(3) == Places{2, 4, 1, 4, 2, 3});
  CHECK(found(5) == Places{2, 4, 1, 3, 0, 4, 2, 3, 1, 0});
  CHECK(candidates_of(3, 5) == 3);
  for (const int all : {0, 5, 6}) CHECK(candidates_of(all, 5) == 5);
}

}  // namespace paymaster::test
