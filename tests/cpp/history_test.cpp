// The history table with literal numbers: moving averages of rate 0.1, and counts.
#include "game/history.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "game/rng.hpp"

namespace paymaster {
namespace {

constexpr int kPopulation = 3, kGoals = 2, kBonuses = 2, kHorizon = 4;

HistoryEvent event_of(int identity, int goal, int bonus) {
  HistoryEvent event;
  event.identity = static_cast<std::uint16_t>(identity);
  event.offer = {static_cast<std::int8_t>(goal), static_cast<std::int8_t>(bonus)};
  return event;
}

/// The table's rows by their axes.
struct Table : HistoryTable {
  Table() : HistoryTable(kPopulation, kGoals, kBonuses, kHorizon) {}
  static std::size_t at(int i, int g, int last, int size) {
    return static_cast<std::size_t>((i * kGoals + g) * size + last);
  }
  float accepted(int i, int g, int b) const { return acceptance[at(i, g, b, kBonuses)]; }
  std::int64_t trials(int i, int g, int b) const { return acceptance_count[at(i, g, b, kBonuses)]; }
  float completed(int i, int g, int age) const { return completion[at(i, g, age, kHorizon)]; }
  float result(int i, int g) const { return outcome[at(i, g, 0, 1)]; }
  std::int64_t results(int i, int g) const { return outcome_count[at(i, g, 0, 1)]; }
};

doctest::Approx near(double value) { return doctest::Approx(value).epsilon(1e-6); }

template <class T>
double total(const std::vector<T>& values) {
  double sum = 0;
  for (const T value : values) sum += static_cast<double>(value);
  return sum;
}

}  // namespace

TEST_CASE("HistoryTable: shapes [P, G, K], [P, G, T], [P, G], all zero at first") {
  const Table table;
  CHECK(table.acceptance.size() == 12);
  CHECK(table.acceptance_count.size() == 12);
  CHECK(table.completion.size() == 24);
  CHECK(table.outcome.size() == 6);
  CHECK(table.outcome_count.size() == 6);
  CHECK(total(table.acceptance) + total(table.completion) + total(table.outcome) == 0);
  CHECK_FALSE(table.frozen);
}

TEST_CASE("HistoryTable: acceptance counts trials only, for the offer's goal and bonus") {
  Table table;
  HistoryEvent event = event_of(1, 1, 0);
  event.accepted = true;
  table.apply(event);  // not a trial
  CHECK(total(table.acceptance_count) == 0);
  event.trial = true;
  table.apply(event);
  CHECK(table.accepted(1, 1, 0) == near(0.1));
  table.apply(event);
  CHECK(table.accepted(1, 1, 0) == near(0.19));
  event.accepted = false;
  table.apply(event);
  CHECK(table.accepted(1, 1, 0) == near(0.171));
  CHECK(table.trials(1, 1, 0) == 3);
  CHECK(total(table.acceptance_count) == 3);  // nobody else's
  CHECK(total(table.acceptance) == near(0.171));
  CHECK(total(table.completion) + total(table.outcome) + total(table.outcome_count) == 0);
}

TEST_CASE("HistoryTable: completion is the share of contracts completed within age + 1 steps") {
  Table table;
  HistoryEvent event = event_of(2, 0, 1);
  event.age = 1;
  event.completed = true;
  table.apply(event);  // completed at age 1: counts for ages 1, 2, 3
  CHECK(table.completed(2, 0, 0) == 0);
  for (int age = 1; age < kHorizon; ++age) CHECK(table.completed(2, 0, age) == near(0.1));
  CHECK(table.result(2, 0) == near(0.1));
  CHECK(table.results(2, 0) == 1);
  event.completed = false;
  event.age = 2;
  table.apply(event);  // still running at age 2: counts against age 2 alone
  CHECK(table.completed(2, 0, 1) == near(0.1));
  CHECK(table.completed(2, 0, 2) == near(0.09));
  CHECK(table.completed(2, 0, 3) == near(0.1));
  CHECK(table.results(2, 0) == 1);  // neither completed nor ended: no outcome
  event.age = 3;
  event.completed = true;
  table.apply(event);  // the last age
  CHECK(table.completed(2, 0, 3) == near(0.19));
  CHECK(table.completed(2, 0, 2) == near(0.09));
  CHECK(total(table.acceptance_count) == 0);
}

TEST_CASE("HistoryTable: outcome of a contract that the follower did not complete") {
  Table table;
  HistoryEvent event = event_of(0, 1, 1);
  event.age = 0;
  event.completed = true;
  table.apply(event);
  event.completed = false;
  event.age = kNone;
  event.ended = {1, 1};  // given up
  table.apply(event);
  CHECK(table.result(0, 1) == near(0.09));
  CHECK(table.results(0, 1) == 2);
  event = event_of(0, 0, 0);
  event.age = 2;
  event.ended = {0, 0};  // running when the episode ended
  table.apply(event);
  CHECK(table.result(0, 0) == 0);
  CHECK(table.results(0, 0) == 1);
  CHECK(table.completed(0, 0, 2) == 0);
}

TEST_CASE("HistoryTable: events shared out by follower come to the same as one after the other") {
  Draws draws(3, Stream::reset, 0, 0, 0);
  std::vector<HistoryEvent> events;
  for (int i = 0; i < 1000; ++i) {
    const auto below = [&](std::uint32_t n) { return static_cast<int>(draws.below(n)); };
    HistoryEvent event = event_of(below(kPopulation), below(kGoals), below(kBonuses));
    event.trial = below(2) == 0;
    event.accepted = below(2) == 0;
    if (below(2) == 0) event.age = static_cast<std::int16_t>(below(kHorizon));
    event.completed = event.age != kNone && below(3) == 0;
    if (below(3) == 0) event.ended = {static_cast<std::int8_t>(below(kGoals)), 0};
    events.push_back(event);
  }
  Table whole, shared;
  for (const HistoryEvent& event : events) whole.apply(event);
  shared.apply(events.data(), events.size(), 2, 3);
  CHECK(total(shared.acceptance_count) > 0);
  CHECK(shared.trials(0, 0, 0) + shared.trials(1, 0, 0) == 0);
  shared.apply(events.data(), events.size(), 0, 2);
  CHECK(shared.acceptance == whole.acceptance);
  CHECK(shared.acceptance_count == whole.acceptance_count);
  CHECK(shared.completion == whole.completion);
  CHECK(shared.outcome == whole.outcome);
  CHECK(shared.outcome_count == whole.outcome_count);
}

TEST_CASE("HistoryTable: clear") {
  Table table;
  HistoryEvent event = event_of(1, 1, 1);
  event.trial = event.accepted = event.completed = true;
  event.age = 0;
  table.apply(event);
  CHECK(total(table.outcome) > 0);
  table.clear();
  CHECK(total(table.acceptance) + total(table.acceptance_count) + total(table.completion) == 0);
  CHECK(total(table.outcome) + total(table.outcome_count) == 0);
}

}  // namespace paymaster
