#include "batch/check_actions.hpp"

#include <string>

#include "game/check.hpp"

namespace paymaster {

void check_offers(const GameConfig& config, const std::int32_t* actions, std::size_t games) {
  const int goals = config.num_goals + (config.abstain ? 1 : 0);
  const auto n = static_cast<std::size_t>(config.num_followers);
  const std::size_t count = games * n;
  // One pass without branches; only a bad batch is searched for the culprit.
  unsigned bad = 0;
  for (std::size_t j = 0; j < count; ++j) {
    bad |= static_cast<unsigned>(actions[2 * j]) >= static_cast<unsigned>(goals);
    bad |= static_cast<unsigned>(actions[2 * j + 1]) >= static_cast<unsigned>(config.num_bonuses);
  }
  if (bad == 0) return;
  for (std::size_t j = 0; j < count; ++j) {
    const std::string where = place_of(j / n, j % n);
    expect_range(actions[2 * j], 0, goals - 1, "actions: goal" + where);
    expect_range(actions[2 * j + 1], 0, config.num_bonuses - 1, "actions: bonus" + where);
  }
}

void check_follower_actions(int choices, int followers, const std::int32_t* actions, std::size_t games) {
  const auto n = static_cast<std::size_t>(followers);
  for (std::size_t j = 0; j < games * n; ++j) {
    if (static_cast<unsigned>(actions[j]) < static_cast<unsigned>(choices)) continue;
    expect_range(actions[j], 0, choices - 1, "actions" + place_of(j / n, j % n));
  }
}

}  // namespace paymaster
