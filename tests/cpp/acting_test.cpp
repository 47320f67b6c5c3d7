// Networks that act: what must hold of their numbers whatever the weights, read and written in arrays of just their size.
// tests/python/test_acting.py compares the numbers with torch's.
#include "networks/acting.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <vector>

#include "support/random.hpp"

namespace paymaster::test {
namespace {

using Floats = std::vector<float>;
using Indices = std::vector<std::int64_t>;

/// Random arrays, which stay where they are.
class Arrays {
 public:
  explicit Arrays(std::uint64_t seed) : random(seed) {}

  const float* floats(std::size_t count) {
    Floats& made = made_.emplace_back(count);
    for (float& number : made) number = static_cast<float>(random.between(-1000, 1000)) / 1000.0F;
    return made.data();
  }
  Layer layer(std::size_t outputs, std::size_t inputs) {
    return {floats(outputs * inputs), random.chance(80) ? floats(outputs) : nullptr, inputs, outputs};
  }
  Layer perhaps(std::size_t outputs, std::size_t inputs) {
    return random.chance(50) ? layer(outputs, inputs) : Layer{};
  }
  Indices indices(std::size_t count, int low, int high) {
    Indices made(count);
    for (auto& index : made) index = random.between(low, high);
    return made;
  }
  std::size_t size(int most) { return static_cast<std::size_t>(random.between(1, most)); }

  Random random;

 private:
  std::deque<Floats> made_;
};

ActingSizes random_sizes(Arrays& a) {
  ActingSizes s;
  s.games = a.size(40), s.followers = a.size(6), s.goals = a.size(5), s.bonuses = a.size(4), s.actions = a.size(6);
  s.follower_features = a.size(9), s.goal_features = a.size(9), s.hidden = a.size(20);
  return s;
}

LeaderWeights random_leader(Arrays& a, ActingSizes& s) {
  const std::size_t h = s.hidden, half = (h + 1) / 2;
  const bool shared = a.random.chance(60), abstains = a.random.chance(50);  // goal types share weights
  LeaderWeights w;
  s.offers = s.goals * s.bonuses + (abstains ? 1 : 0);
  if (shared) {
    if (abstains) w.abstain = a.layer(1, h);
    w.encode_goal = a.layer(half, s.goal_features);
    w.encode_pooled = a.layer(h, half);
  }
  w.encode_own = a.layer(h, s.follower_features + (shared ? 1 : s.goals) * s.goal_features);
  w.history_offer = a.floats((s.offers + 1) * h);
  w.history_input = a.layer(3 * h, h);
  w.history_state = a.layer(3 * h, h);
  if (a.random.chance(50)) {
    w.predict_hidden = a.layer(h, 2 * h);
    w.predict = a.layer(s.actions, h);
    w.blend_predicted = a.layer(h, s.actions);
  }
  w.blend_encoded = a.layer(h, 2 * h);
  w.score = a.perhaps(1, h);
  w.attend_own = a.layer(h, h);
  w.attend_others = a.layer(h, h);
  if (a.random.chance(50)) {
    w.end_code = a.layer(h, h);
    w.end_offer = a.floats((s.offers + 1) * h);
    w.end = a.layer(1, h);
  }
  w.policy_code = a.layer(h, h);
  if (!shared) {
    w.policy = a.layer(s.goals + (abstains ? 1 : 0), h);
    w.bonus = a.layer((a.random.chance(50) ? 1 : s.goals) * s.bonuses, h);
    return w;
  }
  w.policy_goal = a.layer(h, s.goal_features);
  w.bonus = a.perhaps(s.bonuses, h);
  w.policy = a.layer(w.bonus ? 1 : 1 + s.bonuses, h);
  return w;
}

/// What a leader has said, and nothing where it has no such module.
struct Said {
  Floats log_mu, termination, prediction, attention, history;

  Said(const LeaderWeights& w, const ActingSizes& s)
      : log_mu(rows(s) * s.offers),
        termination(w.end ? rows(s) : 0),
        prediction(w.predict ? rows(s) * s.actions : 0),
        attention(rows(s)),
        history(rows(s) * s.hidden) {
    for (Floats* each : {&log_mu, &termination, &prediction, &attention, &history})
      std::fill(each->begin(), each->end(), std::numeric_limits<float>::quiet_NaN());
  }
  static std::size_t rows(const ActingSizes& s) { return s.games * s.followers; }
};

bool same(const Floats& whole, const Floats& part, std::size_t first) {
  return std::equal(part.begin(), part.end(), whole.begin() + static_cast<std::ptrdiff_t>(first * part.size()));
}

bool finite(const Floats& numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](float x) { return std::isfinite(x); });
}

TEST_CASE("a leader's step: probabilities, and each game for itself") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    Arrays a(seed);
    ActingSizes s = random_sizes(a);
    const LeaderWeights w = random_leader(a, s);
    const std::size_t n = s.followers, rows = s.games * n, wide = s.goals * s.goal_features;
    const float *follower = a.floats(rows * s.follower_features), *goal = a.floats(rows * wide);
    const float* history = a.floats(rows * s.hidden);
    const Indices previous = a.indices(rows, -1, static_cast<int>(s.offers) - 1);
    const auto step = [&](std::size_t first, std::size_t games) {
      ActingSizes some = s;
      some.games = games;
      Said said(w, some);
      const std::size_t from = first * n;
      act(w, some,
          {follower + from * s.follower_features, goal + from * wide, previous.data() + from, history + from * s.hidden,
           said.log_mu.data(), said.termination.data(), said.prediction.data(), said.attention.data(),
           said.history.data()});
      return said;
    };
    const Said whole = step(0, s.games);
    for (const Floats* each : {&whole.log_mu, &whole.termination, &whole.prediction, &whole.attention, &whole.history})
      REQUIRE(finite(*each));
    for (std::size_t row = 0; row < rows; ++row) {
      double sum = 0;
      for (std::size_t o = 0; o < s.offers; ++o) sum += std::exp(static_cast<double>(whole.log_mu[row * s.offers + o]));
      REQUIRE(sum == doctest::Approx(1).epsilon(1e-5));
    }
    for (std::size_t game = 0; game < s.games; ++game) {
      double sum = 0;
      for (std::size_t k = 0; k < n; ++k) sum += static_cast<double>(whole.attention[game * n + k]);
      REQUIRE(sum == doctest::Approx(1).epsilon(1e-5));
      const Said alone = step(game, 1);
      REQUIRE(same(whole.log_mu, alone.log_mu, game));
      REQUIRE(same(whole.termination, alone.termination, game));
      REQUIRE(same(whole.prediction, alone.prediction, game));
      REQUIRE(same(whole.attention, alone.attention, game));
      REQUIRE(same(whole.history, alone.history, game));
    }
  }
}

TEST_CASE("followers' step: each game for itself") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    Arrays a(seed);
    ActingSizes s = random_sizes(a);
    const bool meta = a.random.chance(50);
    const std::size_t h = s.hidden, people = a.size(9), n = s.followers, rows = s.games * n;
    if (meta) s.actions = s.goals + 1;
    FollowerWeights w;
    w.own = a.layer(h, s.follower_features);
    w.goal = a.layer(h, s.goal_features);
    w.joined = a.layer(h, 2 * h);
    if (a.random.chance(50)) w.identity = a.floats(people * h);
    if (meta) w.goal_logit = a.layer(1, h);
    w.logits = a.layer(meta ? 1 : s.actions, h);
    const std::size_t wide = s.goals * s.goal_features;
    const float *own = a.floats(rows * s.follower_features), *goal = a.floats(rows * wide);
    const Indices identity = a.indices(rows, 0, static_cast<int>(people) - 1);
    const auto step = [&](std::size_t first, std::size_t games) {
      ActingSizes some = s;
      some.games = games;
      Floats logits(games * n * s.actions, std::numeric_limits<float>::quiet_NaN());
      const std::size_t from = first * n;
      act(w, some,
          {own + from * s.follower_features, goal + from * wide, identity.data() + from, nullptr, logits.data()});
      return logits;
    };
    const Floats whole = step(0, s.games);
    REQUIRE(finite(whole));
    for (std::size_t game = 0; game < s.games; ++game) REQUIRE(same(whole, step(game, 1), game));
  }
}

TEST_CASE("actions are drawn as often as they should be") {
  constexpr std::size_t kRows = 40001, kActions = 4;  // not whole blocks
  const float logits[] = {0.0F, 3.0F, -2.0F, 1.0F}, zeros[2 * kActions] = {};
  Random random(2);
  Floats uniform(kRows);
  const Indices identity(kRows);
  ActingSizes s;
  s.games = kRows, s.followers = s.goals = s.follower_features = s.goal_features = s.hidden = 1, s.actions = kActions;
  FollowerWeights w;  // which see nothing: their logits are these
  w.own = w.goal = {zeros, zeros, 1, 1}, w.joined = {zeros, zeros, 2, 1}, w.logits = {zeros, logits, 1, kActions};
  const Floats nothing(kRows);
  for (float& number : uniform) number = static_cast<float>(random.below(1 << 20)) / static_cast<float>(1 << 20);
  Indices action(kRows, -1);
  for (const double explore : {0.0, 0.4}) {
    act(w, s,
        {nothing.data(), nothing.data(), identity.data(), nullptr, nullptr, action.data(), uniform.data(), explore});
    double sum = 0.0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
    for (std::size_t a = 0; a < kActions; ++a) {
      const double expected =
          (1.0 - explore) * std::exp(static_cast<double>(logits[a])) / sum + explore / static_cast<double>(kActions);
      const auto drawn = std::count(action.begin(), action.end(), static_cast<std::int64_t>(a));
      CHECK(static_cast<double>(drawn) / static_cast<double>(kRows) == doctest::Approx(expected).epsilon(0.1));
    }
  }
  act(w, s, {nothing.data(), nothing.data(), identity.data(), nullptr, nullptr, action.data(), nullptr, 0.4});
  CHECK(std::count(action.begin(), action.end(), 1) == kRows);
}

TEST_CASE("offers are drawn as often as they should be") {
  constexpr std::size_t kRows = 20000, kOffers = 3;
  const double mu[kOffers] = {0.5, 0.3, 0.2};
  Arrays a(1);
  Floats log_mu, uniform;
  for (std::size_t row = 0; row < kRows; ++row)
    for (const double p : mu) log_mu.push_back(static_cast<float>(std::log(p)));
  for (std::size_t i = 0; i < 2 * kRows; ++i)
    uniform.push_back(static_cast<float>(a.random.below(1 << 24)) / static_cast<float>(1 << 24));
  const Floats logits(kRows, std::log(0.25F / 0.75F));  // beta = 1/4
  for (const std::int64_t held : {-1, 1}) {
    for (const double explore : {0.0, 0.5}) {
      CAPTURE(held);
      CAPTURE(explore);
      const Indices before(kRows, held);
      Indices offer(kRows, -9);
      draw_offers({log_mu.data(), logits.data(), before.data(), uniform.data(), offer.data()}, kRows, kOffers, explore);
      const double ends = held < 0 ? 1.0 : 0.25, rest = held < 0 ? 1.0 : 1.0 - mu[held];
      for (std::int64_t o = 0; o < static_cast<std::int64_t>(kOffers); ++o) {
        const double fresh =
            (1.0 - explore) * mu[o] / rest + explore / static_cast<double>(held < 0 ? kOffers : kOffers - 1);
        const double expected = o == held ? 1.0 - ends : ends * fresh;
        const double share = static_cast<double>(std::count(offer.begin(), offer.end(), o)) / kRows;
        CHECK(std::abs(share - expected) < 5 * std::sqrt(expected * (1 - expected) / kRows));
      }
    }
  }
}

}  // namespace
}  // namespace paymaster::test
