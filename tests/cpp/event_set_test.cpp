// Event sets against the definitions of Section 4.1, one follower at a time, and the cases a person can check.
#include "game/event_set.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <type_traits>
#include <vector>

#include "game/types.hpp"
#include "support/random.hpp"

namespace paymaster::test {
namespace {

template <class Integer>
struct Log {
  LogShape shape;
  std::vector<Integer> actions;       // [T, B, N, 2]
  std::vector<std::int32_t> lengths;  // [B]

  EventSet extract(std::optional<std::int32_t> num_goals = {}) const {
    return {actions.data(), lengths.data(), shape, num_goals};
  }
};

/// Offers of up to `goals` goals and "none" (goal = goals), kept mostly; episodes of any length, noise behind their
/// end.
template <class Integer>
Log<Integer> random_log(Random& random, int goals) {
  const auto size = [&](int most) { return static_cast<std::size_t>(random.between(1, most)); };
  Log<Integer> log{{size(12), size(5), size(11)}, {}, {}};
  for (std::size_t b = 0; b < log.shape.games; ++b)
    log.lengths.push_back(random.between(0, static_cast<int>(log.shape.steps)));
  const std::size_t row = log.shape.columns() * 2;
  for (std::size_t i = 0; i < log.shape.size() * 2; ++i) {
    const std::size_t t = i / row, b = i % row / 2 / log.shape.followers;
    const bool played = static_cast<std::int32_t>(t) < log.lengths[b];
    const int value = !played ? random.below(100) : i % 2 == 0 ? random.below(goals + 1) : random.below(2);
    const bool keep = played && t > 0 && random.chance(80);
    log.actions.push_back(keep ? log.actions[i - row] : static_cast<Integer>(value));
  }
  return log;
}

/// One follower of one game, step by step; `e` is the next entry of the set's list of events.
template <class Integer>
void check_follower(const Log<Integer>& log, const EventSet& set, int goals, bool has_none, std::size_t column,
                    std::size_t& e) {
  const std::size_t b = column / log.shape.followers;
  std::int32_t index = kNone;
  for (std::size_t t = 0; t < log.shape.steps; ++t) {
    const std::size_t at = t * log.shape.columns() + column;
    const bool played = static_cast<std::int32_t>(t) < log.lengths[b];
    const Integer* now = log.actions.data() + 2 * at;
    const Integer* before = now - 2 * log.shape.columns();
    bool is_new = played && t == 0;
    if (played && t > 0)
      is_new = now[0] != before[0] || (now[1] != before[1] && !(has_none && now[0] == static_cast<Integer>(goals)));
    REQUIRE(set.is_new()[at] == is_new);
    index += is_new;
    REQUIRE(set.index()[at] == (played ? index : kNone));
    if (!is_new) continue;
    REQUIRE(set.game()[e] == static_cast<std::int32_t>(b));
    REQUIRE(set.follower()[e] == static_cast<std::int32_t>(column % log.shape.followers));
    REQUIRE(set.start()[e] == static_cast<std::int32_t>(t));
    ++e;
  }
  REQUIRE(set.count()[column] == index + 1);
}

template <class Integer>
void check_random_logs() {
  Random random(sizeof(Integer) + std::is_signed_v<Integer>);
  for (int round = 0; round < 100; ++round) {
    CAPTURE(round);
    const int goals = random.between(1, 3);
    const auto log = random_log<Integer>(random, goals);
    const bool has_none = random.chance(50);
    const EventSet set = log.extract(has_none ? std::optional(goals) : std::nullopt);
    std::size_t e = 0;
    std::vector<std::int32_t> per_game(log.shape.games), steps(log.shape.columns());
    for (std::size_t j = 0; j < log.shape.columns(); ++j) {
      check_follower(log, set, goals, has_none, j, e);
      per_game[j / log.shape.followers] += set.count()[j];
    }
    REQUIRE(e == set.events());
    for (std::size_t b = 0; b < log.shape.games; ++b) REQUIRE(set.count_per_game()[b] == per_game[b]);
    // Options divide the steps played: each ends where the next begins.
    for (std::size_t i = 0; i < e; ++i) {
      const std::size_t j =
          static_cast<std::size_t>(set.game()[i]) * log.shape.followers + static_cast<std::size_t>(set.follower()[i]);
      REQUIRE(set.option_length()[i] >= 1);
      REQUIRE(set.start()[i] == steps[j]);
      steps[j] += set.option_length()[i];
    }
    for (std::size_t j = 0; j < steps.size(); ++j) REQUIRE(steps[j] == log.lengths[j / log.shape.followers]);
  }
}

}  // namespace

TEST_CASE("event set: random logs of every integer type") {
  check_random_logs<std::int8_t>();
  check_random_logs<std::int16_t>();
  check_random_logs<std::int32_t>();
  check_random_logs<std::int64_t>();
  check_random_logs<std::uint8_t>();
  check_random_logs<std::uint16_t>();
  check_random_logs<std::uint32_t>();
  check_random_logs<std::uint64_t>();
}

TEST_CASE("event set: one follower's offers, the last two not played") {
  const Log<int> log{{6, 1, 1}, {0, 0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 0}, {4}};
  const EventSet set = log.extract();
  REQUIRE(set.events() == 3);
  const std::vector<int> start(set.start(), set.start() + 3), length(set.option_length(), set.option_length() + 3),
      index(set.index(), set.index() + 6);
  CHECK(start == std::vector<int>{0, 2, 3});
  CHECK(length == std::vector<int>{2, 1, 1});
  CHECK(index == std::vector<int>{0, 0, 1, 2, kNone, kNone});
}

TEST_CASE("event set: two offers of none are the same, whatever their bonus") {
  const Log<int> log{{3, 1, 1}, {2, 0, 2, 1, 2, 0}, {3}};
  CHECK(log.extract().events() == 3);
  CHECK(log.extract(2).events() == 1);
}

TEST_CASE("event set: a goal that does not exist is refused where it is played") {
  const Log<int> log{{2, 2, 1}, {0, 0, 0, 0, 0, 0, 3, 0}, {2, 2}};
  CHECK_THROWS_WITH_AS(log.extract(2), "actions: goal (step 1, game 1, follower 0): expected a value in [0, 2], got 3",
                       std::invalid_argument);
  CHECK(log.extract(3).events() == 3);
  CHECK(Log<int>{log.shape, log.actions, {2, 1}}.extract(2).events() == 2);
}

}  // namespace paymaster::test
