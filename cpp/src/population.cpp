#include "paymaster/population.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "paymaster/check.hpp"

namespace paymaster {

Population::Population(std::vector<Traits> traits) : traits_(std::move(traits)) {
  std::set<std::uint8_t> kinds;
  for (const Traits& t : traits_) kinds.insert(t.skill);
  kinds_ = static_cast<int>(kinds.size());
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
  // Counting the candidates and walking to the chosen one needs no list: "drawn already" is read off `identity`.
  const auto drawn = [&](int candidate, int k) {
    return std::find(identity, identity + k, static_cast<std::uint16_t>(candidate)) != identity + k;
  };
  for (int k = 0; k < n; ++k) {
    bool differ = k > 0 && kinds_ >= 3;
    const auto fits = [&](int candidate) {
      return !drawn(candidate, k) && (!differ || (*this)[candidate].skill != (*this)[identity[k - 1]].skill);
    };
    std::uint32_t candidates = 0;
    for (int i = 0; i < size(); ++i) candidates += fits(i);
    if (candidates == 0) {
      differ = false;
      candidates = static_cast<std::uint32_t>(size() - k);
    }
    std::uint32_t chosen = draws.below(candidates);
    for (int i = 0; i < size(); ++i) {
      if (fits(i) && chosen-- == 0) {
        identity[k] = static_cast<std::uint16_t>(i);
        break;
      }
    }
  }
}

}  // namespace paymaster
