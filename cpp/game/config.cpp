#include "game/config.hpp"

#include <cstddef>
#include <limits>
#include <string>
#include <type_traits>

#include "game/check.hpp"
#include "game/named_population.hpp"

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
  void operator()(const char* name, const std::vector<double>& list, const char*, double low, double high) const {
    for (std::size_t i = 0; i < list.size(); ++i)
      expect_range(list[i], low, high, list.size() == 1 ? name : std::string(name) + "[" + std::to_string(i) + "]");
  }
  void operator()(const char*, const std::string&, const char*) const {}
};

std::string many(std::size_t count) { return std::to_string(count) + (count == 1 ? " number" : " numbers"); }

void check_money(const GameConfig& c) {
  const auto goals = static_cast<std::size_t>(c.num_goals), bonuses = static_cast<std::size_t>(c.num_bonuses);
  expect(c.goal_reward.size() == 1 || c.goal_reward.size() == goals, "goal_reward",
         "a number, or num_goals = " + many(goals), many(c.goal_reward.size()));
  expect(c.prices.empty() || c.prices.size() == bonuses, "prices", "num_bonuses = " + many(bonuses) + ", or none",
         many(c.prices.size()));
  for (std::size_t b = 1; b < c.prices.size(); ++b)
    expect(
        static_cast<float>(c.prices[b]) > static_cast<float>(c.prices[b - 1]), "prices[" + std::to_string(b) + "]",
        "more than prices[" + std::to_string(b - 1) + "] = " + number_text(c.prices[b - 1]) + ", by a float32 at least",
        number_text(c.prices[b]));
  const double lowest = c.price_of(0);
  const bool advance = c.payment == "advance" || c.payment == "advance_once";
  const bool capped = c.max_share < std::numeric_limits<double>::infinity();
  if (!advance || !capped)
    expect(c.opening_sum == 0, "opening_sum", "it only with max_share and payment 'advance' or 'advance_once'",
           number_text(c.opening_sum));
  else
    expect(c.opening_sum >= lowest, "opening_sum",
           "at least the lowest price, " + number_text(lowest) +
               ", with max_share and payment in advance: without it nothing can be paid before there is revenue",
           number_text(c.opening_sum));
}

void check_objective(const GameConfig& c) {
  expect(c.weight_gain > 0 || c.weight_welfare > 0 || c.weight_equality > 0, "weight_gain",
         "a value above 0, unless weight_welfare or weight_equality is (else every reward is 0)",
         number_text(c.weight_gain));
  expect(c.weight_equality > 0 || c.equality == "gini", "equality", "it only with weight_equality above 0",
         quoted(c.equality));
}

void check_decision(const GameConfig& c) {
  if (c.decision == "utility") return;
  expect(c.effort_cost == 0, "effort_cost", "0 with decision = '" + c.decision + "', which weighs no cost",
         number_text(c.effort_cost));
}

}  // namespace

void check_ranges(const WorldParameters& parameters) {
  RangeCheck check;
  PassParameters<const WorldParameters, RangeCheck> pass(check);
  const_cast<WorldParameters&>(parameters).visit(pass);  // as constants
}

void GameConfig::validate() const {
  visit(*this, RangeCheck{});
  check_money(*this);
  check_objective(*this);
  check_decision(*this);
  check_named_population(*this);
  expect(skills_per_follower <= num_goals, "skills_per_follower", "at most num_goals = " + std::to_string(num_goals),
         skills_per_follower);
  expect(num_followers <= population_size, "num_followers",
         "at most population_size = " + std::to_string(population_size), num_followers);
  if (world_parameters.get() != nullptr) world_parameters.get()->validate(*this);
}

}  // namespace paymaster
