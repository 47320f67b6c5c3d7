#include "game/config.hpp"

#include <algorithm>
#include <type_traits>

#include "game/check.hpp"

namespace paymaster {
namespace {

struct RangeCheck {
  template <class T, class Low, class High>
  void operator()(const char* name, const T& value, const char*, Low low, High high) const {
    if constexpr (!std::is_same_v<T, bool>) expect_range<T>(value, static_cast<T>(low), static_cast<T>(high), name);
  }
  void operator()(const char* name, const std::string& value, const char*, const Choices& choices) const {
    expect(choices.hold(value), name, choices.text(), quoted(value));
  }
  void operator()(const char*, const std::string&, const char*) const {}
};

}  // namespace

void check_ranges(const WorldParameters& parameters) {
  RangeCheck check;
  PassParameters<const WorldParameters, RangeCheck> pass(check);
  const_cast<WorldParameters&>(parameters).visit(pass);  // as constants
}

float GameConfig::reward_of_goal() const {
  return goal_reward > 0.0 ? static_cast<float>(goal_reward) : static_cast<float>(std::min(num_bonuses + 1, 5));
}

void GameConfig::validate() const {
  visit(*this, RangeCheck{});
  expect(skills_per_follower <= num_goals, "skills_per_follower", "at most num_goals = " + std::to_string(num_goals),
         skills_per_follower);
  expect(num_followers <= population_size, "num_followers",
         "at most population_size = " + std::to_string(population_size), num_followers);
  if (world_parameters.get() != nullptr) world_parameters.get()->validate(*this);
}

}  // namespace paymaster
