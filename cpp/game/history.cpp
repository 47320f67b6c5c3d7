#include "game/history.hpp"

#include <algorithm>

namespace paymaster {

HistoryTable::HistoryTable(int population_, int goals_, int bonuses_, int horizon_)
    : population(population_), goals(goals_), bonuses(bonuses_), horizon(horizon_) {
  const auto pairs = static_cast<std::size_t>(population) * static_cast<std::size_t>(goals);
  acceptance.resize(pairs * static_cast<std::size_t>(bonuses));
  acceptance_count.resize(acceptance.size());
  completion.resize(pairs * static_cast<std::size_t>(horizon));
  outcome.resize(pairs);
  outcome_count.resize(pairs);
}

void HistoryTable::clear() {
  std::fill(acceptance.begin(), acceptance.end(), 0.0f);
  std::fill(acceptance_count.begin(), acceptance_count.end(), 0);
  std::fill(completion.begin(), completion.end(), 0.0f);
  std::fill(outcome.begin(), outcome.end(), 0.0f);
  std::fill(outcome_count.begin(), outcome_count.end(), 0);
}

void HistoryTable::clear(int identity) {
  const auto empty_row = [&](auto& values) {
    const std::size_t row = values.size() / static_cast<std::size_t>(population);
    std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(row * static_cast<std::size_t>(identity)), row, 0);
  };
  empty_row(acceptance);
  empty_row(acceptance_count);
  empty_row(completion);
  empty_row(outcome);
  empty_row(outcome_count);
}

void HistoryTable::apply(const HistoryEvent& event) {
  const auto move_towards = [](float& average, bool sample) {
    average += static_cast<float>(kRate) * ((sample ? 1.0f : 0.0f) - average);
  };
  const auto pair = [&](int goal) { return static_cast<std::size_t>(event.identity * goals + goal); };
  if (event.trial) {
    const std::size_t at =
        pair(event.offer.goal) * static_cast<std::size_t>(bonuses) + static_cast<std::size_t>(event.offer.bonus);
    move_towards(acceptance[at], event.accepted);
    ++acceptance_count[at];
  }
  if (event.age != kNone) {
    float* curve = completion.data() + pair(event.offer.goal) * static_cast<std::size_t>(horizon);
    if (event.completed) {
      for (int age = event.age; age < horizon; ++age) move_towards(curve[age], true);
    } else {
      move_towards(curve[event.age], false);
    }
  }
  if (event.completed) {
    move_towards(outcome[pair(event.offer.goal)], true);
    ++outcome_count[pair(event.offer.goal)];
  } else if (event.ended.goal != kNone) {
    move_towards(outcome[pair(event.ended.goal)], false);
    ++outcome_count[pair(event.ended.goal)];
  }
}

void HistoryTable::apply(const HistoryEvent* events, std::size_t count, int first, int last) {
  // Which events those are is as good as random: they are picked out without branches, a block at a time.
  constexpr std::size_t kBlock = 256;
  const HistoryEvent* picked[kBlock];
  const auto members = static_cast<unsigned>(last - first);
  for (std::size_t begin = 0; begin < count; begin += kBlock) {
    const std::size_t end = std::min(count, begin + kBlock);
    std::size_t found = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const HistoryEvent& event = events[i];
      picked[found] = &event;
      const bool theirs = static_cast<unsigned>(event.identity - first) < members;
      found += theirs & (event.trial | (event.age != kNone) | (event.ended.goal != kNone));
    }
    for (std::size_t i = 0; i < found; ++i) apply(*picked[i]);
  }
}

}  // namespace paymaster
