// Longer than other files: it is a list of features.
#include "features/features.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "game/check.hpp"

namespace paymaster {
namespace {

constexpr double kNear = 10.0;  // actions; distances are shown as kNear / (kNear + distance), finest where it matters
constexpr int kFollowerFixed = 1 + kBodyFeatures + 4;  // time, body, contract
constexpr float kFarthest = 2.0f;                      // of a body's features

float flag(bool holds) { return holds ? 1.0f : 0.0f; }

float share(double part, double whole) { return static_cast<float>(part / whole); }

float nearness(int distance) { return distance >= 0 ? share(kNear, kNear + distance) : 0.0f; }

[[noreturn]] void reject_value(const char* field, int low, int high, int came, std::size_t game, std::size_t k) {
  reject("observation['" + std::string(field) + "']" + place_of(game, k),
         "a value in [" + std::to_string(low) + ", " + std::to_string(high) + "]", came);
}

/// Every follower's value (the first of `width`) lies in [low, high].
template <class T>
void check_column(const char* field, const Column<T>& column, std::size_t games, std::size_t followers,
                  std::size_t width, int low, int high) {
  for (std::size_t game = 0; game < games; ++game) {
    const T* value = column.of(game);
    for (std::size_t k = 0; k < followers; ++k, value += width) {
      if (*value < low || *value > high) reject_value(field, low, high, *value, game, k);
    }
  }
}

/// The best of each goal type, and the best without that one.
struct Nearest {
  float best[kMaxGoals] = {}, second[kMaxGoals] = {};

  void add(int goal, float near) {
    second[goal] = std::max(second[goal], std::min(best[goal], near));
    best[goal] = std::max(best[goal], near);
  }
  /// For one whose own is `near`; 0 for a follower alone.
  float of_others(int goal, float near) const { return near == best[goal] ? second[goal] : best[goal]; }
};

}  // namespace

/// An offer has expired if its contract was completed, its follower declined it, or its goal is out of reach.
void expired(const OfferFields& seen, std::size_t games, std::size_t followers, int goals, bool* out) {
  check_column("offer", seen.offer, games, followers, 2, kNone, goals);
  for (std::size_t game = 0; game < games; ++game) {
    const std::int16_t *offer = seen.offer.of(game), *committed = seen.committed.of(game);
    const std::int16_t *completed = seen.completed.of(game), *distance = seen.distance.of(game);
    for (std::size_t k = 0; k < followers; ++k, distance += goals) {
      const int goal = offer[2 * k];
      const bool reachable = goal >= 0 && goal < goals && distance[goal] >= 0;
      *out++ = completed[k] >= 0 || committed[k] == 0 || !reachable;
    }
  }
}

FeatureEncoder::FeatureEncoder(const GameConfig& config, bool all_goals)
    : body_(config.world->body(config)),
      own_(config.world->features(config)),
      economy_(config),
      limits_(config),
      means_(limits_.any() + limits_.budgeted() + limits_.capped()),
      fitting_(limits_.any() ? config.num_bonuses : 0),
      routes_(config.observe_routes),
      n_(config.num_followers),
      goals_(config.num_goals),
      candidates_(all_goals ? goals_ : candidates_of(config.near_goals, goals_)),
      bonuses_(config.num_bonuses),
      horizon_(config.horizon),
      actions_(config.world->actions()),
      abundance_(std::max(1.0, static_cast<double>(config.world->goal_objects(config)) / config.num_goals)) {
  int numbers = 0;
  for (const BodyField& field : body_) numbers += field.categories > 0 ? field.categories : 2;
  if (body_.size() > kMaxBodyFields || numbers > kBodyFeatures)
    throw std::logic_error("a world's body: expected at most 2 fields and 4 numbers, got more");
  for (const FeatureField& field : own_) {
    if (field.of_pair) ++own_of_pairs_;
    else own_of_follower_ += field.shape.inner();
  }
  for (int i = 0; i < kCurveMarks; ++i) mark_[i] = std::max((i + 1) * horizon_ / kCurveMarks - 1, 0);
  for (int i = 0; i <= kOften; ++i)
    how_often_[static_cast<std::size_t>(i)] = std::min(share(std::log1p(i), std::log(kOften + 1.0)), 1.0f);
}

int FeatureEncoder::follower_features() const {
  return kFollowerFixed + actions_ + 1 + goals_ + means_ + own_of_follower_;
}

int FeatureEncoder::goal_features() const {
  return kGoalFeaturesNow + earlier_features() + (routes_ ? actions_ : 0) + fitting_ + own_of_pairs_;
}

int FeatureEncoder::earlier_features() const { return 2 * bonuses_ + 2 + kCurveMarks; }  // as write_history has them

std::vector<std::uint8_t> FeatureEncoder::find_candidates(const SeenFields& seen, const Column<std::int16_t>& offer,
                                                          std::size_t games) const {
  if (candidates_ == goals_) return {};
  return nearest_candidates(seen.distance, offer, games, static_cast<std::size_t>(n_), goals_, candidates_);
}

void FeatureEncoder::encode(const SeenFields& seen, std::size_t games, const HistoryTable& table,
                            const FeatureArrays& out) const {
  const auto n = static_cast<std::size_t>(n_), goal_width = static_cast<std::size_t>(goal_features());
  const std::size_t goal_row = n * static_cast<std::size_t>(candidates_) * goal_width;
  const std::vector<std::uint8_t> candidates = find_candidates(seen, seen.offer, games);
  encode_now(seen, games, table.population, candidates,
             {out.follower, static_cast<std::size_t>(follower_features()), out.goal, goal_width});
  for (std::size_t game = 0; game < games; ++game) {
    with_goals(candidates, game,
               [&](auto goal_of) { write_earlier(seen, game, goal_of, table, out.goal + game * goal_row); });
  }
  if (out.expired != nullptr) expired(seen, games, n, goals_, out.expired);
}

void FeatureEncoder::encode_now(const SeenFields& seen, std::size_t games, int population,
                                const std::vector<std::uint8_t>& candidates, const FeatureRows& out) const {
  const auto n = static_cast<std::size_t>(n_);
  const std::size_t goal_row = n * static_cast<std::size_t>(candidates_) * out.goal_width;
  check(seen, games, population);
  for (std::size_t game = 0; game < games; ++game) {
    write_followers(seen, game, out.follower_width, out.follower + game * n * out.follower_width);
    with_goals(candidates, game,
               [&](auto goal_of) { write_goals(seen, game, goal_of, out.goal_width, out.goal + game * goal_row); });
  }
}

void FeatureEncoder::check(const SeenFields& seen, std::size_t games, int population) const {
  const auto n = static_cast<std::size_t>(n_);
  if (seen.wide_identity.first != nullptr) check_column("identity", seen.wide_identity, games, n, 1, 0, population - 1);
  else check_column("identity", seen.identity, games, n, 1, 0, population - 1);
  check_column("action", seen.action, games, n, 1, kNone, actions_ - 1);
  check_column("offer", seen.offer, games, n, 2, kNone, goals_);
  for (std::size_t i = 0; i < body_.size(); ++i) {
    if (body_[i].categories > 0)
      check_column(body_[i].name.c_str(), seen.body_category[i], games, n, 1, 0, body_[i].categories - 1);
  }
  if (!routes_) return;
  for (int g = 0; g < goals_; ++g) {
    const Column<std::int16_t> route{seen.route.first + g, seen.route.stride};
    check_column("route", route, games, n, static_cast<std::size_t>(goals_), 0, actions_ - 1);
  }
}

void FeatureEncoder::write_followers(const SeenFields& seen, std::size_t game, std::size_t width, float* row) const {
  const std::int16_t *action = seen.action.of(game), *committed = seen.committed.of(game);
  const std::int16_t *running = seen.contract_running.of(game), *age = seen.contract_age.of(game);
  const std::int16_t *completed = seen.completed.of(game), *available = seen.available.of(game);
  const float time = share(*seen.step.of(game), horizon_);
  float left[kMaxGoals];
  for (int g = 0; g < goals_; ++g) left[g] = share(available[g], abundance_);
  for (int k = 0; k < n_; ++k, row += width) {
    float* out = row;
    *out++ = time;
    for (int a = 0; a < actions_; ++a) *out++ = flag(action[k] == a);
    *out++ = flag(action[k] == kNone);
    out = write_body(seen, game, k, out);
    *out++ = committed[k];
    *out++ = running[k];
    *out++ = share(age[k], horizon_);
    *out++ = flag(completed[k] >= 0);
    for (int g = 0; g < goals_; ++g) *out++ = left[g];
    if (means_ > 0) out = write_means(seen, game, k, out);
    write_own_of_follower(seen, game, static_cast<std::size_t>(k), out);
  }
}

float* FeatureEncoder::write_means(const SeenFields& seen, std::size_t game, int follower, float* out) const {
  *out++ = flag(seen.refused.of(game)[follower] > 0);
  if (limits_.budgeted()) *out++ = limits_.budget() > 0 ? share(*seen.budget_left.of(game), limits_.budget()) : 0.0f;
  if (limits_.capped())  // against a price to everybody
    *out++ = std::min(share(*seen.share_left.of(game), std::max(n_ * limits_.price(bonuses_ - 1), 1e-6)), kFarthest);
  return out;
}

/// Whether each level of an offer of this type fits in what is left, and in what the follower's own offer holds. What is
/// seen is rounded to float32, so this may err by a part in a million.
void FeatureEncoder::write_fitting(const SeenFields& seen, std::size_t game, int follower, int goal, float* out) const {
  const std::int16_t* const offered = seen.offer.of(game) + 2 * follower;
  Follower f;
  f.offer = {static_cast<std::int8_t>(std::min<int>(offered[0], goals_ - 1)),
             static_cast<std::int8_t>(std::clamp<int>(offered[1], kNone, bonuses_ - 1))};
  f.completed = static_cast<std::int8_t>(seen.completed.of(game)[follower] >= 0 ? 0 : kNone);
  f.contract_running = seen.contract_running.of(game)[follower] > 0;
  const auto seen_left = [&](const Column<float>& column) {
    return static_cast<double>(*column.of(game)) * (1 + 1e-6);
  };
  Limits::Amount left = limits_.left({});
  if (limits_.budgeted()) left.budget = seen_left(seen.budget_left);
  if (limits_.capped()) left.share = seen_left(seen.share_left);
  left += limits_.held(f);
  for (int b = 0; b < bonuses_; ++b)
    *out++ = flag(limits_.fits(f, {static_cast<std::int8_t>(goal), static_cast<std::int8_t>(b)}, left));
}

float* FeatureEncoder::write_own_of_follower(const SeenFields& seen, std::size_t game, std::size_t follower,
                                             float* out) const {
  for (std::size_t i = 0; i < own_.size(); ++i) {
    if (own_[i].of_pair) continue;
    const auto count = static_cast<std::size_t>(own_[i].shape.inner());
    for (std::size_t j = 0; j < count; ++j) *out++ = own_feature(i, seen, game, follower * count + j);
  }
  return out;
}

float FeatureEncoder::own_feature(std::size_t i, const SeenFields& seen, std::size_t game, std::size_t at) const {
  return std::clamp(seen.own[i].at(game, at) / own_[i].scale, -kFarthest, kFarthest);
}

float* FeatureEncoder::write_body(const SeenFields& seen, std::size_t game, int follower, float* out) const {
  float* const end = out + kBodyFeatures;
  for (std::size_t i = 0; i < body_.size(); ++i) {
    const BodyField& field = body_[i];
    for (int c = 0; c < field.categories; ++c) *out++ = flag(seen.body_category[i].of(game)[follower] == c);
    if (field.categories > 0) continue;
    for (int axis = 0; axis < 2; ++axis) {
      const float number = seen.body_numbers[i].of(game)[2 * follower + axis] / field.scale;
      *out++ = std::clamp(number, -kFarthest, kFarthest);
    }
  }
  return std::fill_n(out, end - out, 0.0f);
}

template <class GoalOf>
void FeatureEncoder::write_goals(const SeenFields& seen, std::size_t game, GoalOf goal_of, std::size_t width,
                                 float* out) const {
  constexpr bool kAll = std::is_same_v<GoalOf, AllGoals>;
  const std::int16_t *distances = seen.distance.of(game), *offer = seen.offer.of(game);
  const std::int16_t *committed = seen.committed.of(game), *available = seen.available.of(game);
  const int remaining = horizon_ - *seen.step.of(game);
  int offers[kMaxGoals] = {};
  float left[kMaxGoals];
  Nearest nearest;
  for (int g = 0; g < goals_; ++g) left[g] = share(available[g], abundance_);
  for (int k = 0; k < n_; ++k) {
    for (int g = 0; g < goals_; ++g) {
      const float near = nearness(distances[k * goals_ + g]);
      if constexpr (kAll) out[static_cast<std::size_t>(k * goals_ + g) * width + 1] = near;
      nearest.add(g, near);
      offers[g] += offer[2 * k] == g;
    }
  }
  for (int k = 0; k < n_; ++k) {
    for (int c = 0; c < candidates_; ++c, out += width) {
      const int g = goal_of(k, c), distance = distances[k * goals_ + g];
      if constexpr (!kAll) out[1] = nearness(distance);
      const bool reachable = distance >= 0, offered = offer[2 * k] == g;
      out[0] = flag(reachable);
      out[2] = flag(reachable && distance < remaining);  // there is time to reach it
      out[3] = reachable ? std::clamp(share(remaining - 1 - distance, horizon_), -1.0f, 1.0f) : 0.0f;
      out[4] = left[g];
      out[5] = share(offers[g] - offered, n_);
      out[6] = nearest.of_others(g, out[1]);
      out[7] = flag(offered);
      out[8] = offered ? price_share(offer[2 * k + 1]) : 0.0f;
      out[9] = flag(offered && committed[k] > 0);
    }
  }
}

/// What earlier episodes tell of each pair, and the planner's first action.
template <class GoalOf>
void FeatureEncoder::write_earlier(const SeenFields& seen, std::size_t game, GoalOf goal_of, const HistoryTable& table,
                                   float* out) const {
  const int width = goal_features(), own = width - own_of_pairs_, fitting = own - fitting_, route = fitting - actions_;
  for (int k = 0; k < n_; ++k) {
    write_own_of_pairs(seen, game, k, goal_of, static_cast<std::size_t>(width), out + own);
    // Checked before; whatever another thread has done to the array since, this stays inside the table.
    const int identity = std::clamp(seen.identity_of(game, static_cast<std::size_t>(k)), 0, table.population - 1);
    for (int c = 0; c < candidates_; ++c, out += width) {
      const int g = goal_of(k, c);
      write_history(table, identity, g, out + kGoalFeaturesNow);
      if (fitting_ > 0) write_fitting(seen, game, k, g, out + fitting);
      if (!routes_) continue;
      const int first = seen.route.of(game)[k * goals_ + g];
      for (int a = 0; a < actions_; ++a) out[route + a] = flag(first == a);
    }
  }
}

void FeatureEncoder::write_history(const HistoryTable& table, int identity, int goal, float* out) const {
  const auto pair = static_cast<std::size_t>(identity * goals_ + goal);
  const std::size_t first = pair * static_cast<std::size_t>(bonuses_);
  const float *acceptance = table.acceptance.data() + first,
              *curve = table.completion.data() + pair * static_cast<std::size_t>(horizon_);
  const std::int64_t* tried = table.acceptance_count.data() + first;
  for (int b = 0; b < bonuses_; ++b) {
    out[b] = acceptance[b];
    out[bonuses_ + b] = how_often(tried[b]);
  }
  out += 2 * bonuses_;
  *out++ = table.outcome[pair];
  *out++ = how_often(table.outcome_count[pair]);
  for (const int age : mark_) *out++ = curve[age];
}

/// 0 for never, 1 for a hundred times or more, logarithmic between.
float FeatureEncoder::how_often(std::int64_t count) const {
  return how_often_[static_cast<std::size_t>(std::clamp<std::int64_t>(count, 0, kOften))];
}

}  // namespace paymaster
