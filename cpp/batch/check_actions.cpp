#include "batch/check_actions.hpp"

#include <string>

#include "game/check.hpp"

namespace paymaster {
namespace {

std::string place(std::size_t j, int followers) {
  const auto n = static_cast<std::size_t>(followers);
  return " (game " + std::to_string(j / n) + ", follower " + std::to_string(j % n) + ")";
}

}  // namespace

void check_offers(const GameConfig& config, const std::int32_t* actions, std::size_t games) {
  const int goals = config.num_goals + (config.abstain ? 1 : 0);
  const std::size_t count = games * static_cast<std::size_t>(config.num_followers);
  // One pass without branches; only a bad batch is searched for the culprit.
  unsigned bad = 0;
  for (std::size_t j = 0; j < count; ++j) {
    bad |= static_cast<unsigned>(actions[2 * j]) >= static_cast<unsigned>(goals);
    bad |= static_cast<unsigned>(actions[2 * j + 1]) >= static_cast<unsigned>(config.num_bonuses);
  }
  if (bad == 0) return;
  for (std::size_t j = 0; j < count; ++j) {
    const std::string where = place(j, config.num_followers);
    expect_range(actions[2 * j], 0, goals - 1, "actions: goal" + where);
    expect_range(actions[2 * j + 1], 0, config.num_bonuses - 1, "actions: bonus" + where);
  }
}

void check_follower_actions(int choices, int followers, const std::int32_t* actions, std::size_t games) {
  for (std::size_t j = 0; j < games * static_cast<std::size_t>(followers); ++j) {
    if (static_cast<unsigned>(actions[j]) < static_cast<unsigned>(choices)) continue;
    expect_range(actions[j], 0, choices - 1, "actions" + place(j, followers));
  }
}

}  // namespace paymaster
