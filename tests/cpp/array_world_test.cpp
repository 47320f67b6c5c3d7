// Worlds whose rules play all games of a batch at once, by the line world written a second time over arrays: the same seed
// gives the same games as LineWorld, in every mode.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>

#include "batch/world_kind.hpp"
#include "line.hpp"
#include "support/match.hpp"
#include "support/test_batch.hpp"
#include "worlds/arrays/games.hpp"

namespace paymaster::test {
namespace {

constexpr int kCells = 12;  // as LineConfig has it

/// What a test has the rules do wrong.
enum class Fault { none, far, action, unskilled, reward, cell, thrown };
Fault fault = Fault::none;

class LineRules final : public ArrayRules {
 public:
  explicit LineRules(std::shared_ptr<ArrayGames> games)
      : g_(*games), cell_(g_.games * g_.followers), goal_(g_.games * g_.goals) {
    const Shape followers{static_cast<int>(g_.followers), 0}, goals{static_cast<int>(g_.goals), 0};
    const int int16 = 1;
    g_.own.push_back({{"cell", "int16", 2, followers, "of each follower", 0, kCells - 1.0}, int16, true, cell_.data()});
    g_.own.push_back({{"goal_cell", "int16", 2, goals, "of each type's goal, -1 once it is gone", kNone, kCells - 1.0},
                      int16,
                      true,
                      goal_.data()});
  }

  int actions() const override { return LineWorld::kActions; }

  void reset() override {
    for (std::size_t i = 0; i < g_.games; ++i) {
      if (!g_.starts[i]) continue;
      for (std::size_t g = 0; g < g_.goals; ++g) goal(i, g) = static_cast<std::int16_t>(g_.draws[i].below(kCells));
      for (std::size_t k = 0; k < g_.followers; ++k) cell(i, k) = static_cast<std::int16_t>(g_.draws[i].below(kCells));
    }
  }

  void end() override {
    for (std::size_t i = 0; i < g_.games; ++i) {
      const std::int16_t* first = &goal(i, 0);
      g_.exhausted[i] = std::all_of(first, first + g_.goals, [](int cell) { return cell == kNone; });
    }
  }

  void look() override {
    for (std::size_t i = 0; i < g_.games; ++i) {
      for (std::size_t g = 0; g < g_.goals; ++g) {
        const int at = goal(i, g);
        g_.available[i * g_.goals + g] = at != kNone;
        for (int k = 0; k < static_cast<int>(g_.followers); ++k) {
          const int away = at - cell(i, static_cast<std::size_t>(k));
          const std::size_t pair = g_.pair(i, k, static_cast<int>(g));
          g_.distance[pair] = static_cast<std::int16_t>(at == kNone ? kNone : std::max(std::abs(away) - 1, 0));
          if (!g_.route.empty()) g_.route[pair] = at == kNone ? std::uint8_t{LineWorld::kStay} : towards(away);
        }
      }
    }
    if (fault == Fault::far) g_.distance[g_.pair(1, 2, 0)] = -2;
  }

  void plan() override {
    for (std::size_t i = 0; i < g_.games; ++i) {
      for (std::size_t k = 0; k < g_.followers; ++k) {
        const int chosen = g_.chosen[i * g_.followers + k];
        const int away = chosen == kNone ? 0 : goal(i, static_cast<std::size_t>(chosen)) - cell(i, k);
        g_.action[i * g_.followers + k] = towards(away);
      }
    }
    if (fault == Fault::action) g_.action[g_.follower(1, 2)] = LineWorld::kActions;
    if (fault == Fault::thrown) throw std::runtime_error("out of paper");
  }

  void move() override {
    std::fill_n(g_.reached.get(), g_.games * g_.followers * g_.goals, false);
    for (std::size_t i = 0; i < g_.games; ++i) {
      if (!g_.playing[i]) continue;
      for (std::size_t k = 0; k < g_.followers; ++k) {
        const int action = g_.action[i * g_.followers + k];
        const int by = action == LineWorld::kBack ? -1 : action == LineWorld::kForth ? 1 : 0;
        cell(i, k) = static_cast<std::int16_t>(std::clamp(cell(i, k) + by, 0, kCells - 1));
      }
      for (int k = 0; k < static_cast<int>(g_.followers); ++k) {
        for (int g = 0; g < static_cast<int>(g_.goals); ++g) {
          std::int16_t& at = goal(i, static_cast<std::size_t>(g));
          if (at != cell(i, static_cast<std::size_t>(k)) || !g_.skill[g_.pair(i, k, g)]) continue;
          at = kNone;
          g_.reached[g_.pair(i, k, g)] = true;
        }
      }
    }
    if (fault == Fault::unskilled) std::fill_n(g_.reached.get() + g_.pair(1, 2, 0), g_.goals, true);
    g_.follower_reward[g_.follower(1, 2)] = fault == Fault::reward ? NAN : 0.0f;
    if (fault == Fault::cell) cell(1, 2) = kCells;
  }

  void restored() override {}

 private:
  static std::uint8_t towards(int away) {
    return away == 0 ? LineWorld::kStay : away < 0 ? LineWorld::kBack : LineWorld::kForth;
  }
  std::int16_t& cell(std::size_t game, std::size_t k) { return cell_[game * g_.followers + k]; }
  std::int16_t& goal(std::size_t game, std::size_t g) { return goal_[game * g_.goals + g]; }

  ArrayGames& g_;
  std::vector<std::int16_t> cell_, goal_;
};

class ArrayLineKind final : public WorldKind {
 public:
  const char* name() const override { return "tests:Line"; }
  int max_followers() const override { return LineWorld::kMaxFollowers; }
  int max_goals() const override { return LineWorld::kMaxGoals; }
  int actions() const override { return LineWorld::kActions; }
  std::unique_ptr<WorldParameters> parameters() const override { return nullptr; }
  int goal_objects(const GameConfig&) const override { return 1; }
  std::vector<BodyField> body(const GameConfig&) const override { return {}; }
  std::vector<FeatureField> features(const GameConfig&) const override { return {}; }
  std::unique_ptr<Batch> games(const GameConfig& game, const BatchConfig& batch, Population people) const override {
    auto games = std::make_shared<ArrayGames>(batch.num_envs, game.num_followers, game.num_goals);
    if (game.observe_routes) games->route.resize(games->distance.size());
    auto rules = std::make_unique<LineRules>(games);
    return array_games(game, batch, std::move(people), std::move(games), std::move(rules));
  }
};

const ArrayLineKind kArrayLine;

GameConfig on_a_line(const WorldKind& kind) {
  GameConfig config;
  config.set_world(kind);
  config.num_goals = 3;
  config.skills_per_follower = 2;
  return config;
}

/// Resets faults, whatever a test does.
struct Faulty {
  explicit Faulty(Fault now) { fault = now; }
  ~Faulty() { fault = Fault::none; }
};

}  // namespace

TEST_CASE("ArrayBatch: the same seed gives the same games as a world that plays them one by one") {
  for (const Autoreset mode : {Autoreset::next_step, Autoreset::same_step, Autoreset::disabled}) {
    for (const char* payment : {"completion", "advance", "advance_once"}) {
      for (const char* followers : {"rule", "meta", "primitive"}) {
        for (const int n : {1, 4, 16}) {
          CAPTURE(payment);
          CAPTURE(followers);
          CAPTURE(n);
          GameConfig ours = on_a_line(kArrayLine), theirs = on_a_line(kKind<LineWorld>);
          for (GameConfig* config : {&ours, &theirs}) {
            config->num_followers = n;
            config->payment = payment;
            config->followers = followers;
            config->noise = n == 4 ? 0.3 : 0;
            config->observe_routes = n == 16;
          }
          const BatchConfig batch{.num_envs = 20, .seed = 3, .num_threads = n == 4 ? 2 : 1, .autoreset = mode};
          TestBatch one(ours, batch), other(theirs, batch);
          OfferStream offers(1, ours, 20, 20);
          Random random(2);
          std::vector<std::int32_t> answers(static_cast<std::size_t>(20 * n));
          one.reset(), other.reset();
          for (int t = 0; t < 60; ++t) {
            const Offers& now = offers.next();
            for (auto& answer : answers) answer = random.below(one.core().choices());
            const bool rule = ours.followers == "rule";
            Results a(one.core()), b(other.core());
            one.core().step(now.data(), rule ? nullptr : answers.data(), a.pointers());
            other.core().step(now.data(), rule ? nullptr : answers.data(), b.pointers());
            REQUIRE(a == b);
            if (mode != Autoreset::disabled || t % 10 != 9) continue;
            const bool mask[20] = {true, false, true};
            one.reset(nullptr, mask), other.reset(nullptr, mask);
          }
          const HistoryTable &x = one.core().statistics(), &y = other.core().statistics();
          CHECK(x.acceptance == y.acceptance);
          CHECK(x.completion == y.completion);
        }
      }
    }
  }
}

TEST_CASE("ArrayBatch: random play keeps the rules of contracts and money, on 1, 2 and 4 threads") {
  for (const Autoreset mode : {Autoreset::next_step, Autoreset::same_step, Autoreset::disabled}) {
    GameConfig config = on_a_line(kArrayLine);
    config.payment = "advance";
    Match match(config, {.num_envs = 40, .seed = 1, .num_threads = 1, .autoreset = mode}, {2, 4});
    for (int t = 0; t < 40; ++t) match.step();
    match.round_trip();
    match.finish();
  }
}

TEST_CASE("ArrayBatch: a state that is refused changes nothing, and followers are replaced") {
  const GameConfig config = on_a_line(kArrayLine);
  TestBatch batch(config, {.num_envs = 3, .num_threads = 1});
  OfferStream offers(1, config, 3, 20);
  for (int t = 0; t < 5; ++t) batch.step(offers.next());
  const std::string before = batch.core().snapshot();
  StateArrays state(batch.core());
  state.read(batch.core());
  state.row<std::int16_t>("cell", 1)[0] = 3;
  state.row<std::int16_t>("goal_cell", 2)[0] = kCells;
  CHECK_THROWS_WITH_AS(state.write(batch.core()),
                       doctest::Contains("goal_cell: expected a value in [-1, 11], got 12 (in game 2)"),
                       std::invalid_argument);
  CHECK(batch.core().snapshot() == before);
  std::string spoilt = before;
  spoilt[spoilt.size() / 2] ^= 1;
  CHECK_THROWS_AS(batch.core().restore(spoilt), std::invalid_argument);
  CHECK(batch.core().snapshot() == before);
  batch.core().restore(before);
  CHECK(batch.core().snapshot() == before);
  TestBatch fresh(config, {.num_envs = 3, .num_threads = 1});
  fresh.core().replace_followers({0, 1, 2}, 9);
  fresh.reset();
  fresh.step(offers.next());
}

TEST_CASE("ArrayBatch: rules that break a rule are named, and the batch says what became of it") {
  const GameConfig config = on_a_line(kArrayLine);
  const std::pair<Fault, const char*> cases[] = {
      {Fault::far, "Line.distance (game 1, follower 2): expected -1 (unreachable) or"},
      {Fault::action, "Line.plan (game 1, follower 2): expected a value in [0, 2], got 3"},
      {Fault::unskilled,
       "Line.move (game 1, follower 2): expected reached only goal types that the follower has the skill for"},
      {Fault::reward, "Line.move (game 1, follower 2): expected a reward in [-1e+06, 1e+06], got nan"},
      {Fault::cell, "Line.move (game 1): 'cell': expected a value in [0, 11], got 12"},
      {Fault::thrown, "out of paper"},
  };
  for (const auto& [wrong, text] : cases) {
    CAPTURE(text);
    TestBatch batch(config, {.num_envs = 3, .num_threads = 1});
    OfferStream offers(1, config, 3, 20);
    batch.step(offers.next());
    const std::string before = batch.core().snapshot();
    {
      const Faulty faulty(wrong);
      CHECK_THROWS_WITH_AS(batch.step(offers.next()), doctest::Contains(text), std::runtime_error);
    }
    CHECK_THROWS_WITH_AS(batch.step(offers.next()), doctest::Contains("step: expected whole games"), WorldError);
    CHECK_THROWS_WITH_AS(batch.observe(), doctest::Contains("observe: expected whole games"), WorldError);
    CHECK_THROWS_AS(batch.core().snapshot(), WorldError);
    batch.core().restore(before);
    CHECK(batch.core().snapshot() == before);
    batch.step(offers.next());
    const std::uint64_t seeds[3] = {1, 2, 3};
    {
      const Faulty faulty(wrong);
      CHECK_THROWS(batch.step(offers.next()));
    }
    batch.reset(seeds);
    batch.step(offers.next());
  }
}

}  // namespace paymaster::test
