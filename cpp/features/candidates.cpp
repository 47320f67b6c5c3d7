#include "features/candidates.hpp"

#include <algorithm>

#include "game/types.hpp"

namespace paymaster {

std::vector<std::uint8_t> nearest_candidates(const Column<std::int16_t>& distance, const Column<std::int16_t>& offer,
                                             std::size_t games, std::size_t followers, int goals, int candidates) {
  std::vector<std::uint8_t> all(games * followers * static_cast<std::size_t>(candidates));
  std::uint8_t* to = all.data();
  std::int32_t order[kMaxGoals];  // what they are sorted by, with the goal type as its last digits
  for (std::size_t game = 0; game < games; ++game) {
    const std::int16_t *away = distance.of(game), *offered = offer.of(game);
    for (std::size_t k = 0; k < followers; ++k, away += goals) {
      for (int g = 0; g < goals; ++g) {
        const std::int32_t far = away[g] < 0 ? INT16_MAX + 1 : away[g];
        order[g] = (offered[2 * k] == g ? 0 : far + 1) * kMaxGoals + g;
      }
      std::partial_sort(order, order + candidates, order + goals);
      for (int c = 0; c < candidates; ++c) *to++ = static_cast<std::uint8_t>(order[c] % kMaxGoals);
    }
  }
  return all;
}

}  // namespace paymaster
