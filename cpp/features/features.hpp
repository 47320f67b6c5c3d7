// Observation and history statistics as float features: what the leader's networks see. Everything here is known to a
// leader: where followers are (through their planners' distances), what they were offered and did, and how they have
// answered in earlier episodes. Traits stay hidden: nothing here can reach them.
//
// A follower, F = 10 + A + G: time; its last of the A primitive actions, one-hot, the last place for "none yet"; its body, 4; committed;
// contract running; the contract's age; completed; how much is left of each goal type.
// A follower and goal type, D = 16 + 2 K: reachable; nearness; reachable in time; the time to spare; how much is left;
// share of the others with an offer of this type; nearness of the nearest of the others; offered; the bonus offered;
// committed to it; then history: share of offers accepted at each bonus, how often that was tried, share of contracts
// completed, how often there was one, share completed within a quarter, half, three quarters, all of the horizon. With
// `observe_routes` A more: the planner's first action towards it, one-hot.
//
// Where the leader's means are limited, a follower has up to 3 more: whether its offer was refused, what is left of the
// budget and under the cap; and a follower and goal type K more: whether each bonus level fits in what is left.
//
// A world may add features of its own, at the end of either (FeatureField). With `near_goals` the rows of a follower are
// those of its candidates (candidates.hpp), C < G; else of all goal types, C = G.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "features/candidates.hpp"
#include "game/config.hpp"
#include "game/fields.hpp"
#include "game/history.hpp"
#include "game/limits.hpp"

namespace paymaster {

/// The fields that say whether an offer has run its course.
struct OfferFields {
  Column<std::int16_t> offer, committed, completed, distance;  // [B, N, 2], [B, N], [B, N], [B, N, G]
};

/// The fields that features are made of (game.hpp, `observe`). Which ones show a follower's body is the world's to say
/// (BodyField).
struct SeenFields : OfferFields {
  Column<std::int32_t> wide_identity;  // where wide_identities() says so, else the next
  Column<std::int16_t> identity, action, contract_running, contract_age, available, step, route;
  Column<std::int16_t> body_category[kMaxBodyFields];  // of the world's body fields: of the i-th, one of the two
  Column<float> body_numbers[kMaxBodyFields];
  struct Own {  // one of the two
    Column<std::int16_t> whole;
    Column<float> real;
    float at(std::size_t game, std::size_t i) const {
      return whole.first != nullptr ? static_cast<float>(whole.of(game)[i]) : real.of(game)[i];
    }
  };
  std::vector<Own> own;                   // of the world's FeatureFields
  Column<std::int16_t> refused;           // of limited means, [B, N]
  Column<float> budget_left, share_left;  // [B]

  int identity_of(std::size_t game, std::size_t follower) const {
    return wide_identity.first != nullptr ? wide_identity.of(game)[follower] : identity.of(game)[follower];
  }

  /// Calls visitor(name, column, shape within a game) for those a game of this configuration shows.
  template <class Self, class Visitor>
  static void visit(Self& self, const GameConfig& config, Visitor&& visitor) {
    const int n = config.num_followers, goals = config.num_goals;
    if (wide_identities(config.population_size)) visitor("identity", self.wide_identity, Shape{n, 0});
    else visitor("identity", self.identity, Shape{n, 0});
    visitor("action", self.action, Shape{n, 0});
    visitor("offer", self.offer, Shape{n, 2});
    visitor("committed", self.committed, Shape{n, 0});
    visitor("contract_running", self.contract_running, Shape{n, 0});
    visitor("contract_age", self.contract_age, Shape{n, 0});
    visitor("completed", self.completed, Shape{n, 0});
    visitor("distance", self.distance, Shape{n, goals});
    visitor("available", self.available, Shape{goals, 0});
    visitor("step", self.step, Shape{});
    if (config.observe_routes) visitor("route", self.route, Shape{n, goals});
    const Limits limits(config);
    if (limits.any()) visitor("refused", self.refused, Shape{n, 0});
    if (limits.budgeted()) visitor("budget_left", self.budget_left, Shape{});
    if (limits.capped()) visitor("share_left", self.share_left, Shape{});
    const std::vector<BodyField> body = config.world->body(config);
    for (std::size_t i = 0; i < body.size(); ++i) {
      if (body[i].categories > 0) visitor(body[i].name.c_str(), self.body_category[i], Shape{n, 0});
      else visitor(body[i].name.c_str(), self.body_numbers[i], Shape{n, 2});
    }
    const std::vector<FeatureField> own = config.world->features(config);
    self.own.resize(own.size());
    for (std::size_t i = 0; i < own.size(); ++i) {
      if (own[i].real) visitor(own[i].name.c_str(), self.own[i].real, own[i].shape);
      else visitor(own[i].name.c_str(), self.own[i].whole, own[i].shape);
    }
  }
};

/// Of the D features of a goal type, the first so many are of this step, then come those of earlier episodes.
inline constexpr int kGoalFeaturesNow = 7 + 3;  // the goal, the offer

/// The caller's arrays.
struct FeatureArrays {
  float* follower = nullptr;  // [B, N, F]
  float* goal = nullptr;      // [B, N, C, D]
  bool* expired = nullptr;    // [B, N] as expired() says; null: not asked for
};

/// The same for the features of this step alone, each row with room for more.
struct FeatureRows {
  float* follower;
  std::size_t follower_width;  // of which F are written
  float* goal;
  std::size_t goal_width;  // of which kGoalFeaturesNow are written
};

/// Which offers have run their course: the contract was completed in the last step, the follower is not committed to
/// the offer, or the offered goal can no longer be reached. True without an offer, too. out [B, N].
/// Throws std::invalid_argument, with nothing written, on an offered goal outside [-1, G]; G is "none".
void expired(const OfferFields& seen, std::size_t games, std::size_t followers, int goals, bool* out);

/// Turns observations of games of one configuration into features.
class FeatureEncoder {
 public:
  /// With `all_goals` it writes rows of all goal types, whatever the game says.
  explicit FeatureEncoder(const GameConfig& config, bool all_goals = false);

  int candidates() const { return candidates_; }      // C
  int follower_features() const;                      // F
  int goal_features() const;                          // D
  int earlier_features() const;                       // of those, behind kGoalFeaturesNow, of earlier episodes
  int own_of_pairs() const { return own_of_pairs_; }  // the last so many of D: the world's own

  /// What a bonus level pays, as a share of what the highest does; of any number a hand-made observation may hold.
  float price_share(int bonus) const {
    const int level = std::clamp(bonus, kNone, bonuses_ - 1);
    return economy_.highest_price > 0 ? economy_.price(level) / economy_.highest_price : 0.0f;
  }
  /// An amount, likewise.
  float amount_share(float amount) const {
    return economy_.highest_price > 0 ? amount / economy_.highest_price : amount;
  }

  /// The candidates of B games, of followers with these offers [B, N, 2]; empty where networks see all goal types.
  std::vector<std::uint8_t> find_candidates(const SeenFields& seen, const Column<std::int16_t>& offer,
                                            std::size_t games) const;
  /// Calls f with a game's AllGoals or NearGoals.
  template <class F>
  void with_goals(const std::vector<std::uint8_t>& candidates, std::size_t game, F&& f) const {
    if (candidates.empty()) return f(AllGoals{});
    const std::size_t of_game = static_cast<std::size_t>(n_) * static_cast<std::size_t>(candidates_);
    f(NearGoals{candidates.data() + game * of_game, candidates_});
  }

  /// Writes these for a follower and each of its goal types, into rows of `width`.
  template <class GoalOf>
  void write_own_of_pairs(const SeenFields& seen, std::size_t game, int follower, GoalOf goal_of, std::size_t width,
                          float* out) const {
    for (std::size_t i = 0; i < own_.size(); ++i) {
      if (!own_[i].of_pair) continue;
      const int first = own_[i].shape.columns > 0 ? follower * goals_ : 0;
      for (int c = 0; c < candidates_; ++c)
        out[static_cast<std::size_t>(c) * width] =
            own_feature(i, seen, game, static_cast<std::size_t>(first + goal_of(follower, c)));
      ++out;
    }
  }

  /// Features of B games, with the history as `table` has it now. Throws std::invalid_argument, with nothing written,
  /// on an identity, action, offered goal, heading or route out of range.
  void encode(const SeenFields& seen, std::size_t games, const HistoryTable& table, const FeatureArrays& out) const;

  /// The features of this step alone, in a game whose followers are of a population of that size.
  void encode_now(const SeenFields& seen, std::size_t games, int population,
                  const std::vector<std::uint8_t>& candidates, const FeatureRows& out) const;

 private:
  static constexpr int kCurveMarks = 4;  // ages at which the completion curve is read off
  static constexpr int kOften = 100;     // tries from which on "how often" is 1

  void check(const SeenFields& seen, std::size_t games, int population) const;
  void write_followers(const SeenFields& seen, std::size_t game, std::size_t width, float* out) const;
  float* write_body(const SeenFields& seen, std::size_t game, int follower, float* out) const;
  template <class GoalOf>
  void write_goals(const SeenFields& seen, std::size_t game, GoalOf goal_of, std::size_t width, float* out) const;
  template <class GoalOf>
  void write_earlier(const SeenFields& seen, std::size_t game, GoalOf goal_of, const HistoryTable& table,
                     float* out) const;
  void write_history(const HistoryTable& table, int identity, int goal, float* out) const;
  float how_often(std::int64_t count) const;
  float* write_own_of_follower(const SeenFields& seen, std::size_t game, std::size_t follower, float* out) const;
  /// The `at`-th number of the world's i-th feature.
  float own_feature(std::size_t i, const SeenFields& seen, std::size_t game, std::size_t at) const;
  float* write_means(const SeenFields& seen, std::size_t game, int follower, float* out) const;
  void write_fitting(const SeenFields& seen, std::size_t game, int follower, int goal, float* out) const;

  std::vector<BodyField> body_;
  std::vector<FeatureField> own_;
  int own_of_follower_ = 0, own_of_pairs_ = 0;
  Economy economy_;
  Limits limits_;
  int means_ = 0;    // features of a follower that show what the leader can spend
  int fitting_ = 0;  // and of a follower and goal type: K, or 0
  bool routes_;
  int n_, goals_, candidates_, bonuses_, horizon_, actions_;
  double abundance_;  // goals of a type that count as 1
  int mark_[kCurveMarks];
  std::array<float, kOften + 1> how_often_;
};

}  // namespace paymaster
