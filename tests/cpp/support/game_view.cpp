#include "support/game_view.hpp"

#include <algorithm>

namespace paymaster::test {

GameView::GameView(StateArrays& a, int map_columns, int game)
    : columns(map_columns),
      identity(a.row<std::int32_t>("identity", game)),
      preference(a.row<std::int32_t>("preference", game)),
      offer(a.row<std::int32_t>("offer", game)),
      action(a.row<std::int32_t>("action", game)),
      completed(a.row<std::int32_t>("completed", game)),
      contract_age(a.row<std::int32_t>("contract_age", game)),
      step(a.row<std::int32_t>("step", game)),
      skill(a.row<bool>("skill", game)),
      committed(a.row<bool>("committed", game)),
      contract_running(a.row<bool>("contract_running", game)),
      dropped(a.row<bool>("dropped", game)),
      done(a.row<bool>("done", game)),
      reservation(a.row<float>("reservation", game)),
      episode(a.row<std::int64_t>("episode", game)),
      position(a.find<std::int32_t>("position", game)),
      heading(a.find<std::int32_t>("heading", game)),
      resource_type(a.find<std::int32_t>("resource_type", game)),
      resource_position(a.find<std::int32_t>("resource_position", game)),
      resource_claimant(a.find<std::int32_t>("resource_claimant", game)),
      resource_present(a.find<bool>("resource_present", game)),
      place(a.find<double>("position", game)),
      velocity(a.find<double>("velocity", game)),
      goal_place(a.find<double>("goal_position", game)),
      goal_velocity(a.find<double>("goal_velocity", game)),
      obstacle_place(a.find<double>("obstacle_position", game)),
      goal_type(a.find<std::int32_t>("goal_type", game)),
      goal_action(a.find<std::int32_t>("goal_action", game)) {}

Offer PlayedStep::offer(int k) const {
  if (offers[2 * k] == config.num_goals || (refused != nullptr && refused[k])) return {};  // "none"
  return {static_cast<std::int8_t>(offers[2 * k]), static_cast<std::int8_t>(offers[2 * k + 1])};
}

bool PlayedStep::declines_employment(int k) const {
  const Offer its_offer = offer(k);
  if (its_offer.goal == kNone || config.price_of(its_offer.bonus) == 0) return true;
  double price = config.price_of(its_offer.bonus);
  if (config.decision == "employment_squared") price *= price;
  return can_reach(k, before.preference[k]) && price <= static_cast<double>(before.reservation[k]);
}

bool PlayedStep::takes_offer(int k) const {
  const int wanted = offer(k).goal;
  if (config.decision == "utility") return wanted != kNone && wanted_goal(k) == wanted;
  return !declines_employment(k) && can_reach(k, wanted);
}

int PlayedStep::wanted_goal(int k) const {
  if (config.decision != "utility") {
    const int goal = declines_employment(k) ? before.preference[k] : int{offer(k).goal};
    return can_reach(k, goal) ? goal : kNone;
  }
  std::vector<double> utility(static_cast<std::size_t>(config.num_goals));
  const Offer its_offer = offer(k);
  for (int g = 0; g < config.num_goals; ++g) {
    double& u = utility[static_cast<std::size_t>(g)];
    if (!can_reach(k, g)) continue;
    if (g == its_offer.goal) u += config.price_of(its_offer.bonus);
    if (g == before.preference[k]) u += static_cast<double>(before.reservation[k]);
    u -= static_cast<double>(cost()) * (distance_before[k * config.num_goals + g] + 1);
  }
  const double most = *std::max_element(utility.begin(), utility.end());
  if (most <= 0) return kNone;
  int goal = kNone;
  for (int g = 0; g < config.num_goals; ++g) {
    const bool best = utility[static_cast<std::size_t>(g)] == most;
    if (best && (goal == kNone || goal == its_offer.goal)) goal = g;  // a tie goes against the offer
  }
  return goal;
}

}  // namespace paymaster::test
