#include "game/population.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "game/check.hpp"

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

}  // namespace

Population::Population(std::vector<Traits> traits) : traits_(std::move(traits)) {
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
  return Population(std::move(traits));
}

Population Population::with(const std::vector<int>& identities, const Population& others) const {
  std::vector<Traits> traits = traits_;
  for (const int identity : identities) traits[static_cast<std::size_t>(identity)] = others[identity];
  return Population(std::move(traits));
}

void Population::draw_episode(Draws& draws, int n, std::uint16_t* identity) const {
  const bool differ = of_kind_.size() >= 3;
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
