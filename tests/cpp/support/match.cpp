#include "support/match.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "game/rng.hpp"
#include "support/grid_rules.hpp"
#include "support/particle_rules.hpp"

namespace paymaster::test {
namespace {

std::size_t size(int n) { return static_cast<std::size_t>(n); }

/// What a step's report tells of the goals reached in it, where the world after it is not shown.
std::vector<unsigned> reached_by_report(const PlayedStep& s) {
  std::vector<unsigned> reached(size(s.config.num_followers));
  for (int k = 0; k < s.config.num_followers; ++k) {
    if (s.completed[k] != kNone) reached[size(k)] |= 1u << s.completed[k];
    if (s.follower_reward[k] > s.payment[k]) reached[size(k)] |= 1u << s.before.preference[k];
  }
  return reached;
}

/// Nothing is left to do. Of a world that these tests do not know: as it says.
bool nothing_left(const PlayedStep& s) {
  if (is_particles(s.config)) return false;
  if (!is_grid(s.config)) return *s.after.done;
  const bool* present = s.after.resource_present;
  return std::count(present, present + s.config.own<GridConfig>().num_resources, true) == 0;
}

bool in_unit_interval(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float x) { return x >= 0 && x <= 1; });
}

}  // namespace

Match::Match(const GameConfig& config, const BatchConfig& batch, const std::vector<int>& twins, int change_percent)
    : config_(config),
      mode_(batch),
      on_grid_(is_grid(config)),
      map_(GridMap::parse(on_grid_ ? config.own<GridConfig>().map : "")),
      batch_(config, batch),
      offers_(batch.seed, config, batch.num_envs, change_percent),
      before_(batch_.core()),
      after_(batch_.core()),
      ledgers_(size(batch.num_envs)),
      planned_(size(config.num_followers * config.num_goals)) {
  for (const int threads : twins) {
    BatchConfig other = batch;
    other.num_threads = threads;
    twins_.emplace_back(config, other);
  }
  look();
}

void Match::look() {
  after_.read(batch_.core());
  distance_.clear();
  for (int game = 0; game < mode_.num_envs; ++game) {
    const std::int16_t* row = batch_.observed("distance", game);
    distance_.insert(distance_.end(), row, row + config_.num_followers * config_.num_goals);
  }
  REQUIRE(after_.in_bounds());
  const std::vector<float>& real = batch_.results().observation.real;
  REQUIRE(std::all_of(real.begin(), real.end(), [](float x) { return std::isfinite(x); }));
}

void Match::step(bool deep) {
  if (deep) check_routes();
  std::swap(before_, after_);
  const std::vector<std::int16_t> distance = distance_;
  const Offers& offers = offers_.next();
  const Results& results = batch_.step(offers);
  REQUIRE(batch_.results_in_bounds());
  for (TestBatch& twin : twins_) REQUIRE(twin.step(offers) == results);
  look();
  for (int game = 0; game < mode_.num_envs; ++game) {
    CAPTURE(game);
    PlayedStep played = describe(game, offers, deep && game == 0 ? planned_.data() : nullptr);
    played.distance_before = distance.data() + game * config_.num_followers * config_.num_goals;
    check_game(played, game);
  }
}

void Match::reset(const bool* mask) {
  std::swap(before_, after_);
  batch_.reset(nullptr, mask);
  for (TestBatch& twin : twins_) {
    twin.reset(nullptr, mask);
    REQUIRE(twin.results().observation == batch_.results().observation);
  }
  look();
  for (int game = 0; game < mode_.num_envs; ++game) {
    const GameView was(before_, map_.columns, game), is(after_, map_.columns, game);
    REQUIRE(*is.episode == *was.episode + mask[game]);
    REQUIRE(*is.step == (mask[game] ? 0 : *was.step));
    if (mask[game]) ledgers_[size(game)] = Ledger{};
  }
}

void Match::round_trip() {
  const std::string bytes = batch_.core().snapshot();
  after_.write(batch_.core());
  REQUIRE(batch_.core().snapshot() == bytes);
  batch_.core().restore(bytes);
  REQUIRE(batch_.core().snapshot() == bytes);
}

void Match::finish() {
  const HistoryTable& table = batch_.core().statistics();
  REQUIRE(in_unit_interval(table.acceptance));
  REQUIRE(in_unit_interval(table.completion));
  REQUIRE(in_unit_interval(table.outcome));
  REQUIRE(std::accumulate(table.acceptance_count.begin(), table.acceptance_count.end(), std::int64_t{0}) == trials_);
  const std::string bytes = batch_.core().snapshot();
  for (const TestBatch& twin : twins_) REQUIRE(twin.core().snapshot() == bytes);
}

PlayedStep Match::describe(int game, const Offers& offers, const int* planned) {
  const std::size_t i = size(game), first = i * size(config_.num_followers);
  const Results& r = batch_.results();
  return {.config = config_,
          .map = map_,
          .before = GameView(before_, map_.columns, game),
          .after = GameView(after_, map_.columns, game),
          .after_is_next_episode = mode_.autoreset == Autoreset::same_step && r.terminated[i],
          .offers = offers.data() + 2 * first,
          .distance_before = nullptr,
          .planned = planned,
          .reward = r.reward[i],
          .terminated = r.terminated[i],
          .committed = r.committed.data() + first,
          .refused = r.refused.empty() ? nullptr : r.refused.data() + first,
          .completed = r.completed.data() + first,
          .action = r.action.data() + first,
          .payment = r.payment.data() + first,
          .follower_reward = r.follower_reward.data() + first,
          .reached = {}};
}

void Match::check_routes() {
  const GameView state(after_, map_.columns, 0);
  REQUIRE(broken_rule_of_routes(config_, map_, state, batch_.observed("distance", 0), batch_.observed("available", 0),
                                planned_.data()) == "");
}

void Match::check_game(PlayedStep& s, int game) {
  Ledger& ledger = ledgers_[size(game)];
  if (*s.before.done) {
    const bool next_episode = mode_.autoreset == Autoreset::next_step;
    REQUIRE(broken_rule_of_silence(s, next_episode) == "");
    if (next_episode) ledger = Ledger{};
    REQUIRE(ledger.agrees(batch_.results(), game, config_.num_goals));
    return;
  }
  check_played(s, game);
  ledger.add(s);
  REQUIRE(ledger.agrees(batch_.results(), game, config_.num_goals));
  REQUIRE(ledger.broken_limit(config_) == "");
  check_end(s, game);
}

void Match::check_played(PlayedStep& s, int game) {
  REQUIRE(broken_rule_of_decisions(s) == "");
  if (s.after_is_next_episode) {
    s.reached = reached_by_report(s);
  } else if (on_grid_) {
    REQUIRE(broken_rule_of_bodies(s) == "");
    REQUIRE(broken_rule_of_claims(s) == "");
    s.reached = reached_on_grid(s);
  } else if (is_particles(config_)) {
    REQUIRE(broken_rule_of_particles(s, s.reached) == "");
  } else {
    s.reached = reached_by_report(s);
  }
  if (on_grid_) REQUIRE(broken_rule_of_actions(s) == "");
  REQUIRE(broken_rule_of_money(s) == "");
  if (config_.noise == 1 && (on_grid_ || is_particles(config_))) check_noise(s, game);
  count_trials(s);
}

void Match::check_end(const PlayedStep& s, int game) {
  if (s.after_is_next_episode) {
    REQUIRE((!is_particles(config_) || *s.before.step + 1 == config_.horizon));
    REQUIRE(*s.after.step == 0);
    REQUIRE(*s.after.episode == *s.before.episode + 1);
    ledgers_[size(game)] = Ledger{};
    return;
  }
  const bool over = *s.after.step == config_.horizon || nothing_left(s);
  REQUIRE(*s.after.step == *s.before.step + 1);
  REQUIRE(*s.after.done == over);
  REQUIRE(s.terminated == over);
  REQUIRE(*s.after.episode == *s.before.episode);
}

/// With p = 1 every action is draw 2k + 1 of the step's noise stream.
void Match::check_noise(const PlayedStep& s, int game) const {
  Draws draws(mode_.seed, Stream::noise, static_cast<std::uint64_t>(*s.before.step),
              static_cast<std::uint64_t>(*s.before.episode), static_cast<std::uint64_t>(mode_.first_index + game));
  for (int k = 0; k < config_.num_followers; ++k) {
    draws.next();
    constexpr int of_grid[] = {kMove, kTurnLeft, kTurnRight, kStop};
    REQUIRE(s.action[k] == (on_grid_ ? of_grid[draws.below(4)] : static_cast<int>(draws.below(5))));
  }
}

/// An offer is tried when it is new, or when the follower could sign it again.
void Match::count_trials(const PlayedStep& s) {
  for (int k = 0; k < config_.num_followers; ++k) {
    const Offer offer = s.offer(k);
    if (offer.goal == kNone || s.distance_before[k * config_.num_goals + offer.goal] == kNone) continue;
    trials_ += !s.before.running_offer(k, offer.goal, offer.bonus);
  }
}

}  // namespace paymaster::test
