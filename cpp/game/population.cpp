#include "game/population.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "game/check.hpp"
#include "game/named_population.hpp"

namespace paymaster {
namespace {

/// The `at`-th of 0, 1, 2, ... of those not in `out`, which ascends.
std::uint32_t without(const std::vector<std::uint16_t>& out, std::uint32_t at) {
  std::uint32_t first = 0, last = static_cast<std::uint32_t>(out.size());
  while (first < last) {
    const std::uint32_t middle = (first + last) / 2;
    if (out[middle] - middle > at) last = middle;  // so many are left before out[middle]
    else first = middle + 1;
  }
  return at + first;
}

/// Skills, preference and reservation of each, uniformly as the parameters say.
void draw_traits(const GameConfig& config, Draws& draws, std::vector<Traits>& traits) {
  const auto goals = static_cast<std::uint32_t>(config.num_goals);
  const auto skills = static_cast<std::uint32_t>(config.skills_per_follower);
  for (Traits& t : traits) {
    std::array<std::uint8_t, kMaxGoals> order{};
    for (std::uint32_t g = 0; g < goals; ++g) order[g] = static_cast<std::uint8_t>(g);
    for (std::uint32_t j = 0; j < skills; ++j) {
      std::swap(order[j], order[j + draws.below(goals - j)]);
      t.skill |= set_of(order[j]);
    }
    t.preference =
        config.preference_among_skills ? order[draws.below(skills)] : static_cast<std::uint8_t>(draws.below(goals));
    t.reservation = static_cast<float>(1 + draws.below(static_cast<std::uint32_t>(config.max_reservation)));
  }
}

}  // namespace

Population::Population(std::vector<Traits> traits, int goals, Tastes tastes)
    : traits_(std::move(traits)), goals_(static_cast<std::size_t>(goals)), tastes_(std::move(tastes)) {
  std::map<GoalSet, std::uint16_t> kinds;
  for (const Traits& t : traits_) kinds.emplace(t.skill, static_cast<std::uint16_t>(kinds.size()));
  of_kind_.resize(kinds.size());
  for (std::size_t i = 0; i < traits_.size(); ++i) {
    kind_.push_back(kinds.at(traits_[i].skill));
    of_kind_[kind_[i]].push_back(static_cast<std::uint16_t>(i));
  }
}

Population Population::drawn(const GameConfig& config) {
  Draws draws(static_cast<std::uint64_t>(config.population_seed), Stream::population, 0, 0, 0);
  std::vector<Traits> traits(static_cast<std::size_t>(config.population_size));
  if (!config.draws_population()) traits = named_traits(config.named_population);
  else if (config.world == nullptr || !config.world->draw_traits(config, draws, traits.data()))
    draw_traits(config, draws, traits);
  Population people(std::move(traits), config.num_goals);
  people.charge(config.effort_cost, config.num_goals);
  return people;
}

void Population::charge(double effort_cost, int goals) {
  if (effort_cost <= 0) return;
  goals_ = static_cast<std::size_t>(goals);
  tastes_.cost.assign(traits_.size() * goals_, static_cast<float>(effort_cost));
}

Population Population::with(const std::vector<int>& identities, const Population& others) const {
  std::vector<Traits> traits = traits_;
  Tastes tastes = tastes_;
  for (const int identity : identities) {
    const auto at = static_cast<std::size_t>(identity);
    traits[at] = others[identity];
    for (std::size_t g = 0; g < goals_; ++g) {
      const int goal = static_cast<int>(g);
      if (!tastes.utility.empty()) tastes.utility[at * goals_ + g] = others.utility(identity, goal);
      if (!tastes.cost.empty()) tastes.cost[at * goals_ + g] = others.cost(identity, goal);
    }
  }
  return Population(std::move(traits), static_cast<int>(goals_), std::move(tastes));
}

void Population::draw_by_weight(Draws& draws, int n, std::uint16_t* identity, bool mixed) const {
  const bool differ = mixed && of_kind_.size() >= 3;
  for (int k = 0; k < n; ++k) {
    const auto weight = [&](std::size_t i, bool other_kind) {
      if (other_kind && kind_[i] == kind_[identity[k - 1]]) return 0.0;
      for (int j = 0; j < k; ++j)
        if (identity[j] == i) return 0.0;
      return static_cast<double>(tastes_.weight[i]);
    };
    const auto total = [&](bool other_kind) {
      double sum = 0;
      for (std::size_t i = 0; i < traits_.size(); ++i) sum += weight(i, other_kind);
      return sum;
    };
    bool other_kind = differ && k > 0;
    double sum = total(other_kind);
    if (other_kind && sum <= 0) sum = total(other_kind = false);
    const double at = draws.unit() * sum;
    double passed = 0;
    for (std::size_t i = 0; i < traits_.size(); ++i) {
      const double w = weight(i, other_kind);
      if (w <= 0) continue;
      identity[k] = static_cast<std::uint16_t>(i);  // the last one, should rounding lead beyond it
      passed += w;
      if (at < passed) break;
    }
  }
}

void Population::draw_episode(Draws& draws, int n, std::uint16_t* identity, bool mixed) const {
  if (!tastes_.weight.empty()) return draw_by_weight(draws, n, identity, mixed);
  const bool differ = mixed && of_kind_.size() >= 3;
  std::uint16_t drawn[kMaxFollowers];  // ascending
  for (int k = 0; k < n; ++k) {
    // The candidates are all, or all but those of the last one's kind, without who has been drawn from them.
    const std::vector<std::uint16_t>* out = differ && k > 0 ? &of_kind_[kind_[identity[k - 1]]] : nullptr;
    const auto listed = [&](int i) { return out == nullptr || kind_[i] != kind_[identity[k - 1]]; };
    auto candidates = static_cast<std::uint32_t>(traits_.size() - (out == nullptr ? 0 : out->size()));
    for (int j = 0; j < k; ++j) candidates -= listed(drawn[j]);
    if (candidates == 0) {
      out = nullptr;
      candidates = static_cast<std::uint32_t>(size() - k);
    }
    std::uint32_t at = draws.below(candidates);
    const auto member = [&] { return out == nullptr ? at : without(*out, at); };
    for (int j = 0; j < k; ++j) at += listed(drawn[j]) && drawn[j] <= member();
    identity[k] = static_cast<std::uint16_t>(member());
    int place = k;
    for (; place > 0 && drawn[place - 1] > identity[k]; --place) drawn[place] = drawn[place - 1];
    drawn[place] = identity[k];
  }
}

}  // namespace paymaster
