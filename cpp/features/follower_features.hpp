// What followers see of a step, as float features: of a leader's features all that is of this step, and what each follower
// knows of itself and of its offer.
//
// A follower, F + 2: the leader's F; its reservation; what taking the offer pays at once.
// A follower and goal type, 10 + 4: the leader's of this step; the reservation where the type is preferred; skill; offered
// now; for how much; where followers have tastes, their utility and what the way costs them. Then the world's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "features/features.hpp"

namespace paymaster {

/// The observation, and the fields of Game::follower_view that features are made of.
struct FollowerFields : SeenFields {
  Column<std::int16_t> offered, preference;  // [B, N, 2], [B, N]
  Column<bool> skill;                        // [B, N, G]
  Column<float> reservation, due;            // [B, N]
  Column<float> utility, cost;               // [B, N, G], where the population has tastes
};

/// The caller's arrays. Rows may have room for more features behind those that are written.
struct FollowerFeatureArrays {
  FeatureRows rows;
  std::int64_t* identity;  // [B, N]
};

/// Turns what followers see in games of one configuration into features.
class FollowerEncoder {
 public:
  /// `choosy`: of followers with tastes (Population::choosy). With `all_goals` it writes rows of all goal types, whatever
  /// the game says.
  FollowerEncoder(const GameConfig& config, bool choosy, bool all_goals = false)
      : encoder_(config, all_goals), n_(config.num_followers), goals_(config.num_goals), tastes_(choosy ? 2 : 0) {}

  bool choosy() const { return tastes_ > 0; }

  int candidates() const { return encoder_.candidates(); }
  int own_features() const { return encoder_.follower_features() + 2; }
  int goal_features() const { return kGoalFeaturesNow + 4 + tastes_ + encoder_.own_of_pairs(); }

  /// Features of B games, whose followers are of a population of that size. Throws as FeatureEncoder::encode.
  void encode(const FollowerFields& seen, std::size_t games, int population, const FollowerFeatureArrays& out) const {
    const std::vector<std::uint8_t> candidates = encoder_.find_candidates(seen, seen.offered, games);
    encoder_.encode_now(seen, games, population, candidates, out.rows);
    for (std::size_t game = 0; game < games; ++game)
      encoder_.with_goals(candidates, game, [&](auto goal_of) { write_own(seen, game, goal_of, out); });
  }

 private:
  template <class GoalOf>
  void write_own(const FollowerFields& seen, std::size_t game, GoalOf goal_of, const FollowerFeatureArrays& out) const {
    const auto n = static_cast<std::size_t>(n_), goals = static_cast<std::size_t>(goals_);
    const auto rows = static_cast<std::size_t>(candidates());
    const auto known = static_cast<std::size_t>(encoder_.follower_features());
    const std::int16_t* offered = seen.offered.of(game);
    const float *reservation = seen.reservation.of(game), *due = seen.due.of(game);
    for (std::size_t k = 0; k < n; ++k) {
      const std::size_t follower = game * n + k;
      out.identity[follower] = seen.identity_of(game, k);
      float* own = out.rows.follower + follower * out.rows.follower_width + known;
      own[0] = encoder_.amount_share(reservation[k]);
      own[1] = encoder_.amount_share(due[k]);
      const float price = encoder_.price_share(offered[2 * k + 1]);
      float* goal = out.rows.goal + follower * rows * out.rows.goal_width + kGoalFeaturesNow;
      encoder_.write_own_of_pairs(seen, game, static_cast<int>(k), goal_of, out.rows.goal_width, goal + 4 + tastes_);
      for (int c = 0; c < candidates(); ++c, goal += out.rows.goal_width) {
        const int g = goal_of(static_cast<int>(k), c);
        const bool is_offered = offered[2 * k] == g;
        goal[0] = seen.preference.of(game)[k] == g ? own[0] : 0.0f;
        goal[1] = seen.skill.of(game)[k * goals + static_cast<std::size_t>(g)] ? 1.0f : 0.0f;
        goal[2] = is_offered ? 1.0f : 0.0f;
        goal[3] = is_offered ? price : 0.0f;
        if (tastes_ == 0) continue;
        const std::size_t pair = k * goals + static_cast<std::size_t>(g);
        const int distance = seen.distance.of(game)[pair];
        goal[4] = encoder_.amount_share(seen.utility.of(game)[pair]);
        goal[5] = encoder_.amount_share(seen.cost.of(game)[pair] * static_cast<float>(distance + 1));
      }
    }
  }

  FeatureEncoder encoder_;
  int n_, goals_, tastes_;
};

}  // namespace paymaster
