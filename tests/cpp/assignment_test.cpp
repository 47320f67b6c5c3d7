// The assignment of followers to goal types against trying every assignment.
#include "game/assignment.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "game/types.hpp"
#include "support/random.hpp"

namespace paymaster::test {
namespace {

struct Problem {
  int followers, goals;
  std::vector<double> value;           // [followers, goals]
  std::vector<std::int32_t> capacity;  // [goals]
  double at(int k, int g) const { return value[static_cast<std::size_t>(k * goals + g)]; }
};

std::vector<std::int32_t> solve(const Problem& p) {
  std::vector<std::int32_t> chosen(static_cast<std::size_t>(p.followers), -99);
  assign(p.value.data(), p.capacity.data(), p.followers, p.goals, chosen.data());
  return chosen;
}

/// The best sum that any assignment of followers k, k+1, ... can reach.
double best(const Problem& p, std::vector<std::int32_t>& left, int k = 0) {
  if (k == p.followers) return 0;
  double most = best(p, left, k + 1);  // k stays free
  for (int g = 0; g < p.goals; ++g) {
    auto& room = left[static_cast<std::size_t>(g)];
    if (room <= 0) continue;
    --room;
    most = std::max(most, p.at(k, g) + best(p, left, k + 1));
    ++room;
  }
  return most;
}

void check(const Problem& p) {
  const auto chosen = solve(p);
  std::vector<std::int32_t> left = p.capacity;
  double sum = 0;
  for (int k = 0; k < p.followers; ++k) {
    const int g = chosen[static_cast<std::size_t>(k)];
    REQUIRE(g >= kNone);
    REQUIRE(g < p.goals);
    if (g == kNone) continue;
    REQUIRE(p.at(k, g) > 0);
    REQUIRE(--left[static_cast<std::size_t>(g)] >= 0);
    sum += p.at(k, g);
  }
  left = p.capacity;
  REQUIRE(sum == doctest::Approx(best(p, left)));
}

}  // namespace

TEST_CASE("assign: cases a person can check") {
  using Chosen = std::vector<std::int32_t>;
  // Follower 0 is better at type 0, but follower 1 can do nothing else.
  CHECK(solve({2, 2, {5, 4, 3, 0}, {1, 1}}) == Chosen{1, 0});
  CHECK(solve({2, 2, {5, 4, 3, 0}, {2, 1}}) == Chosen{0, 0});            // room for both
  CHECK(solve({2, 1, {2, 3}, {1}}) == Chosen{kNone, 0});                 // one has to stay free
  CHECK(solve({2, 2, {0, -1, -2, 0}, {2, 2}}) == Chosen{kNone, kNone});  // nothing worth doing
  CHECK(solve({2, 1, {1, 1}, {0}}) == Chosen{kNone, kNone});             // no room
  CHECK(solve({1, 1, {1}, {-3}}) == Chosen{kNone});                      // less than none counts as none
  CHECK(solve({1, 1, {1}, {1000000}}) == Chosen{0});
}

TEST_CASE("assign: random problems against trying everything") {
  Random random(11);
  for (int round = 0; round < 1500; ++round) {
    CAPTURE(round);
    Problem p{random.between(1, 5), random.between(1, 4), {}, {}};
    const int kind = random.below(3);  // few values (many ties), integers, fractions
    for (int i = 0; i < p.followers * p.goals; ++i) {
      const double values[] = {random.between(-1, 2) * 1.0, random.between(-50, 50) * 1.0,
                               random.between(-999, 999) / 64.0};
      p.value.push_back(values[kind]);
    }
    for (int g = 0; g < p.goals; ++g) p.capacity.push_back(random.between(0, 3));
    check(p);
  }
}

TEST_CASE("assign: as many followers and goal types as are allowed") {
  // Follower k is worth 100 + k on type k % 8 and nothing on others; each type has room for half of those who want it.
  constexpr int followers = 64, goals = 8;
  Problem p{followers, goals, std::vector<double>(followers * goals), std::vector<std::int32_t>(goals, 4)};
  for (int k = 0; k < followers; ++k) p.value[static_cast<std::size_t>(k * goals + k % goals)] = 100 + k;
  const auto chosen = solve(p);
  for (int k = 0; k < followers; ++k)
    CHECK(chosen[static_cast<std::size_t>(k)] == (k < followers / 2 ? kNone : k % goals));
}

}  // namespace paymaster::test
