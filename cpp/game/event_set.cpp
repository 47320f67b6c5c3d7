#include "game/event_set.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "game/check.hpp"
#include "game/types.hpp"

namespace paymaster {
namespace {

/// The goal that stands for "none" as the log's integers write it; empty when none of them can.
template <class Integer>
std::optional<Integer> goal_none(std::optional<std::int32_t> num_goals) {
  if (!num_goals || !std::in_range<Integer>(*num_goals)) return std::nullopt;
  return static_cast<Integer>(*num_goals);
}

/// differs[j]: the offer of column j is another one than before. Two offers of "none" are the same offer.
template <class Integer>
void compare(const Integer* now, const Integer* before, std::optional<Integer> none, std::size_t columns,
             std::uint8_t* differs) {
  const Integer no_goal = none.value_or(0);
  const bool has_none = none.has_value();
  for (std::size_t j = 0; j < columns; ++j) {
    const bool counts = !has_none | (now[2 * j] != no_goal);  // whether the bonus does
    differs[j] = (now[2 * j] != before[2 * j]) | ((now[2 * j + 1] != before[2 * j + 1]) & counts);
  }
}

/// Goals of the steps played lie in [0, G]. One pass without branches; only a bad row is searched for the culprit.
template <class Integer>
void check_goals(const Integer* row, const std::int32_t* limit, std::size_t step, const LogShape& shape,
                 std::int32_t num_goals) {
  const auto t = static_cast<std::int32_t>(step);
  const auto bad = [&](std::size_t j) {
    const bool played = t < limit[j], below = std::cmp_less(row[2 * j], 0),
               above = std::cmp_greater(row[2 * j], num_goals);
    return played & (below | above);
  };
  bool any = false;
  for (std::size_t j = 0; j < shape.columns(); ++j) any |= bad(j);
  if (!any) return;
  std::size_t j = 0;
  while (!bad(j)) ++j;
  const std::string range = "a value in [0, " + std::to_string(num_goals) + "]";
  reject("actions: goal (step " + std::to_string(step) + ", game " + std::to_string(j / shape.followers) +
             ", follower " + std::to_string(j % shape.followers) + ")",
         range, +row[2 * j]);
}

}  // namespace

template <class Integer>
EventSet::EventSet(const Integer* actions, const std::int32_t* lengths, LogShape shape,
                   std::optional<std::int32_t> num_goals)
    : shape_(shape),
      is_new_(new bool[shape.size()]),
      log_(new std::int32_t[shape.size() + shape.columns() + shape.games]) {
  std::vector<std::int32_t> limit(shape.columns());  // a game's length beside each of its followers
  for (std::size_t j = 0; j < limit.size(); ++j) limit[j] = lengths[j / shape.followers];
  mark(actions, limit.data(), num_goals);
  list(limit.data());
}

/// The arrays of the log's shape, and the counts: row after row, each compared with the one before it.
template <class Integer>
void EventSet::mark(const Integer* actions, const std::int32_t* limit, std::optional<std::int32_t> num_goals) {
  const std::size_t columns = shape_.columns();
  std::int32_t* count = log_.get() + shape_.size();
  std::fill_n(count, columns, 0);
  const auto none = goal_none<Integer>(num_goals);
  std::vector<std::uint8_t> differs(columns, 1);  // as every offer does from no offer at all
  for (std::size_t step = 0; step < shape_.steps; ++step) {
    const Integer* row = actions + step * columns * 2;
    if (num_goals) check_goals(row, limit, step, shape_, *num_goals);
    if (step > 0) compare(row, row - columns * 2, none, columns, differs.data());
    const auto t = static_cast<std::int32_t>(step);
    bool* is_new = is_new_.get() + step * columns;
    std::int32_t* index = log_.get() + step * columns;
    for (std::size_t j = 0; j < columns; ++j) {
      const bool played = t < limit[j];
      const bool event = played & (differs[j] != 0);
      is_new[j] = event;
      count[j] += event;
      index[j] = played ? count[j] - 1 : kNone;
    }
  }
  std::int32_t* count_per_game = count + columns;
  std::fill_n(count_per_game, shape_.games, 0);
  for (std::size_t j = 0; j < columns; ++j) count_per_game[j / shape_.followers] += count[j];
}

/// The arrays with an entry an event. A follower's events are neighbours, so each lasts until the next one's start.
void EventSet::list(const std::int32_t* limit) {
  const std::size_t columns = shape_.columns();
  std::vector<std::size_t> first(columns + 1);
  for (std::size_t j = 0; j < columns; ++j) first[j + 1] = first[j] + static_cast<std::size_t>(count()[j]);
  events_ = first[columns];
  event_.reset(new std::int32_t[4 * events_]);
  std::int32_t *game = event_.get(), *follower = game + events_, *start = follower + events_, *length = start + events_;
  for (std::size_t step = 0; step < shape_.steps; ++step) {
    const bool* is_new = is_new_.get() + step * columns;
    const std::int32_t* index = log_.get() + step * columns;
    const auto note = [&](std::size_t j) {
      if (is_new[j]) start[first[j] + static_cast<std::size_t>(index[j])] = static_cast<std::int32_t>(step);
    };
    std::size_t j = 0;
    for (std::uint64_t eight; j + sizeof(eight) <= columns; j += sizeof(eight)) {
      std::memcpy(&eight, is_new + j, sizeof(eight));
      if (eight == 0) continue;  // mostly so: offers are kept
      for (std::size_t i = 0; i < sizeof(eight); ++i) note(j + i);
    }
    for (; j < columns; ++j) note(j);
  }
  for (std::size_t j = 0; j < columns; ++j) {
    for (std::size_t e = first[j]; e < first[j + 1]; ++e) {
      game[e] = static_cast<std::int32_t>(j / shape_.followers);
      follower[e] = static_cast<std::int32_t>(j % shape_.followers);
      length[e] = (e + 1 < first[j + 1] ? start[e + 1] : limit[j]) - start[e];
    }
  }
}

#define PAYMASTER_EVENT_SET_OF(Integer) \
  template EventSet::EventSet(const Integer*, const std::int32_t*, LogShape, std::optional<std::int32_t>)
PAYMASTER_EVENT_SET_OF(std::int8_t);
PAYMASTER_EVENT_SET_OF(std::int16_t);
PAYMASTER_EVENT_SET_OF(std::int32_t);
PAYMASTER_EVENT_SET_OF(std::int64_t);
PAYMASTER_EVENT_SET_OF(std::uint8_t);
PAYMASTER_EVENT_SET_OF(std::uint16_t);
PAYMASTER_EVENT_SET_OF(std::uint32_t);
PAYMASTER_EVENT_SET_OF(std::uint64_t);
#undef PAYMASTER_EVENT_SET_OF

}  // namespace paymaster
