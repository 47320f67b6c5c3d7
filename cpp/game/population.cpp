#include "game/population.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "game/check.hpp"

namespace paymaster {

Population::Population(std::vector<Traits> traits) : traits_(std::move(traits)) {
  std::map<std::uint8_t, std::uint8_t> kinds;
  for (const Traits& t : traits_) kinds.emplace(t.skill, static_cast<std::uint8_t>(kinds.size()));
  for (const Traits& t : traits_) kind_.push_back(kinds.at(t.skill));
  others_.resize(kinds.size());
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
    for (std::size_t i = 0; i < traits_.size(); ++i) {
      if (kind_[i] != kind) others_[kind].push_back(static_cast<std::uint16_t>(i));
    }
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
      t.skill = static_cast<std::uint8_t>(t.skill | (1u << order[j]));
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
  const bool differ = others_.size() >= 3;
  std::uint16_t drawn[kMaxFollowers];  // ascending
  for (int k = 0; k < n; ++k) {
    // The candidates are a list, those of another kind than the last or all, without who has been drawn from it.
    const std::vector<std::uint16_t>* list = differ && k > 0 ? &others_[kind_[identity[k - 1]]] : nullptr;
    const auto listed = [&](int i) { return list == nullptr || kind_[i] != kind_[identity[k - 1]]; };
    auto candidates = static_cast<std::uint32_t>(list == nullptr ? traits_.size() : list->size());
    for (int j = 0; j < k; ++j) candidates -= listed(drawn[j]);
    if (candidates == 0) {
      list = nullptr;
      candidates = static_cast<std::uint32_t>(size() - k);
    }
    std::uint32_t at = draws.below(candidates);
    const auto member = [&] { return list == nullptr ? at : std::uint32_t{(*list)[at]}; };
    for (int j = 0; j < k; ++j) at += listed(drawn[j]) && drawn[j] <= member();
    identity[k] = static_cast<std::uint16_t>(member());
    int place = k;
    for (; place > 0 && drawn[place - 1] > identity[k]; --place) drawn[place] = drawn[place - 1];
    drawn[place] = identity[k];
  }
}

}  // namespace paymaster
