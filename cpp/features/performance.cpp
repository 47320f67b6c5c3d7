#include "features/performance.hpp"

#include <algorithm>

#include "game/check.hpp"
#include "game/history.hpp"

namespace paymaster {
namespace {

void move_towards(float& average, bool sample) {
  average += static_cast<float>(HistoryTable::kRate) * ((sample ? 1.0f : 0.0f) - average);
}

int identity_of(const PerformanceFields& seen, std::size_t game, int k) {
  return seen.wide_identity.first != nullptr ? seen.wide_identity.of(game)[k] : seen.identity.of(game)[k];
}

}  // namespace

void record_performance(const PerformanceFields& seen, const PerformanceSizes& sizes, bool frozen,
                        const PerformanceArrays& out) {
  for (std::size_t game = 0; game < sizes.games; ++game) {
    expect_range<int>(*seen.step.of(game), 0, sizes.horizon, "observation['step']");
    for (int k = 0; k < sizes.followers; ++k) {
      const std::int16_t* offer = seen.offer.of(game) + 2 * k;
      expect_range(identity_of(seen, game, k), 0, sizes.population - 1, "observation['identity']");
      expect_range<int>(offer[0], kNone, sizes.goals - 1, "observation['offer']");
      expect_range<int>(offer[1], kNone, sizes.bonuses - 1, "observation['offer']");
    }
  }
  for (std::size_t game = 0; game < sizes.games; ++game) {
    const std::int16_t step = *seen.step.of(game);
    const std::size_t row = game * static_cast<std::size_t>(sizes.followers);
    if (step == 0) {
      std::fill_n(out.goal + row, sizes.followers, std::int16_t{kNone});
      std::fill_n(out.steps + row, sizes.followers, std::int16_t{0});
    }
    if (step == 0 || step == out.clock[game]) {
      out.clock[game] = step;
      continue;
    }
    out.clock[game] = step;
    for (int k = 0; k < sizes.followers; ++k) {
      const std::size_t at = row + static_cast<std::size_t>(k);
      const std::int16_t* offer = seen.offer.of(game) + 2 * k;
      const int goal = offer[0], bonus = offer[1];
      const bool committed = seen.committed.of(game)[k] != 0, completed = seen.completed.of(game)[k] != kNone;
      const auto first = static_cast<std::size_t>(identity_of(seen, game, k)) * static_cast<std::size_t>(sizes.goals);
      const auto entry = [&](int type, int steps) -> float& {
        return out.success[(first + static_cast<std::size_t>(type)) * static_cast<std::size_t>(sizes.horizon) +
                           static_cast<std::size_t>(steps - 1)];
      };
      if (goal != kNone && !frozen)
        move_towards(out.acceptance[(first + static_cast<std::size_t>(goal)) * static_cast<std::size_t>(sizes.bonuses) +
                                    static_cast<std::size_t>(bonus)],
                     committed);
      std::int16_t& held = out.goal[at];
      std::int16_t& steps = out.steps[at];
      if (!committed) {
        if (held != kNone && steps > 0 && !frozen) move_towards(entry(held, steps), false);
        held = kNone;
        steps = 0;
        continue;
      }
      steps = static_cast<std::int16_t>(held == goal ? steps + 1 : 1);
      held = static_cast<std::int16_t>(goal);
      if ((completed || step == sizes.horizon) && !frozen) move_towards(entry(held, steps), completed);
      if (completed) {  // the next step begins to count again
        held = kNone;
        steps = 0;
      }
    }
  }
}

}  // namespace paymaster
