#include "worlds/arrays/array_games.hpp"

#include <type_traits>

#include "game/check.hpp"

namespace paymaster {
namespace {

[[noreturn]] void broken(const std::string& method, const std::string& place, const std::string& expected,
                         const std::string& came) {
  throw WorldError(method + place + ": expected " + expected + ", got " + came);
}

std::string in_game(std::size_t game) { return " (game " + std::to_string(game) + ")"; }

/// A number as wide as a T, so that a loop over both takes as many of either at once.
template <class T>
using Mark = std::conditional_t<sizeof(T) == 1, std::uint8_t,
                                std::conditional_t<sizeof(T) == 2, std::uint16_t,
                                                   std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;

/// Every value lies in [low, high]; NaN does not. Which one does not is looked for only then.
template <class T>
std::size_t first_outside(const T* values, std::size_t count, T low, T high) {
  Mark<T> outside = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const T value = values[i];
    outside |= static_cast<Mark<T>>(value < low) | static_cast<Mark<T>>(value > high);
    if constexpr (std::is_floating_point_v<T>) outside |= static_cast<Mark<T>>(value != value);
  }
  if (outside == 0) return count;
  std::size_t i = 0;
  while (values[i] >= low && values[i] <= high) ++i;
  return i;
}

template <class T>
std::string range_text(T low, T high) {
  return "a value in [" + number_text(low) + ", " + number_text(high) + "]";
}

/// The limits of a field as its type has them.
template <class T>
T limit(double value) {
  using Limits = std::numeric_limits<T>;
  if (value <= static_cast<double>(Limits::lowest())) return Limits::lowest();
  if (value >= static_cast<double>(Limits::max())) return Limits::max();
  return static_cast<T>(value);
}

}  // namespace

ArrayGames::ArrayGames(int games_, int followers_, int goals_)
    : games(static_cast<std::size_t>(games_)),
      followers(static_cast<std::size_t>(followers_)),
      goals(static_cast<std::size_t>(goals_)),
      playing(std::make_unique<bool[]>(games)),
      chosen(games * followers),
      committed(games * followers),
      offered(games * followers, std::int8_t{kNone}),
      action(games * followers),
      skill(std::make_unique<bool[]>(games * followers * goals)),
      step(games),
      draws(games, Draws(0, Stream::reset, 0, 0, 0)),
      starts(std::make_unique<bool[]>(games)),
      seed(games),
      environment(games),
      episode(games),
      distance(games * followers * goals, std::int16_t{kNone}),
      available(games * goals),
      exhausted(std::make_unique<bool[]>(games)),
      reached(std::make_unique<bool[]>(games * followers * goals + kReadBeyond)),
      follower_reward(games * followers),
      leader_reward(games) {}

std::vector<Draws>& ArrayGames::draws_of_step() {
  if (!step_has_draws) {
    for (std::size_t i = 0; i < games; ++i) {
      if (playing[i])
        draws[i] = Draws(seed[i], Stream::world, static_cast<std::uint64_t>(step[i]),
                         static_cast<std::uint64_t>(episode[i]), environment[i]);
    }
    step_has_draws = true;
  }
  return draws;
}

void check_arrays(const ArrayGames& g, const std::string& method) {
  for (const WorldArray& array : g.own) {
    const auto count = static_cast<std::size_t>(array.field.shape.count());
    with_type(array.type, [&]<class T>() {
      if constexpr (!std::is_same_v<T, bool>) {
        const T *values = static_cast<const T*>(array.data), low = limit<T>(array.field.low),
                high = limit<T>(array.field.high);
        const std::size_t at = first_outside(values, g.games * count, low, high);
        if (at < g.games * count)
          broken(method, in_game(at / count) + ": '" + array.field.name + "'", range_text(low, high),
                 number_text(values[at]));
      }
    });
  }
}

void check_look(const ArrayGames& g, const std::string& world, int actions) {
  std::size_t at = first_outside(g.distance.data(), g.distance.size(), std::int16_t{kNone}, std::int16_t{INT16_MAX});
  if (at < g.distance.size()) {
    const std::size_t follower = at / g.goals;
    broken(world + ".distance", place_of(follower / g.followers, follower % g.followers),
           "-1 (unreachable) or the number of actions before the one that reaches the goal type",
           number_text(g.distance[at]));
  }
  at = first_outside(g.available.data(), g.available.size(), std::int16_t{0},
                     static_cast<std::int16_t>(g.most_available));
  if (at < g.available.size())
    broken(world + ".available", in_game(at / g.goals), range_text(0, g.most_available) + " (most_available)",
           number_text(g.available[at]));
  at = first_outside(g.route.data(), g.route.size(), std::uint8_t{0}, static_cast<std::uint8_t>(actions - 1));
  if (at < g.route.size()) {
    const std::size_t follower = at / g.goals;
    broken(world + ".plan", place_of(follower / g.followers, follower % g.followers), range_text(0, actions - 1),
           number_text(g.route[at]));
  }
}

void check_plan(const ArrayGames& g, const std::string& world, int actions) {
  const std::size_t at =
      first_outside(g.action.data(), g.action.size(), std::uint8_t{0}, static_cast<std::uint8_t>(actions - 1));
  if (at < g.action.size() && g.playing[at / g.followers])
    broken(world + ".plan", place_of(at / g.followers, at % g.followers), range_text(0, actions - 1),
           number_text(g.action[at]));
}

void check_move(const ArrayGames& g, const std::string& world) {
  const std::size_t pairs = g.games * g.followers * g.goals;
  std::uint8_t unable = 0;
  for (std::size_t i = 0; i < pairs; ++i) unable |= static_cast<std::uint8_t>(g.reached[i] > g.skill[i]);
  for (std::size_t i = 0; unable != 0 && i < pairs; ++i) {
    const std::size_t follower = i / g.goals;
    if (!g.reached[i] || g.skill[i] || !g.playing[follower / g.followers]) continue;
    broken(world + ".move", place_of(follower / g.followers, follower % g.followers),
           "reached only goal types that the follower has the skill for (step.skill)",
           "goal type " + std::to_string(i % g.goals));
  }
  std::size_t at = first_outside(g.follower_reward.data(), g.follower_reward.size(), -1e6f, 1e6f);
  if (at < g.follower_reward.size())
    broken(world + ".move", place_of(at / g.followers, at % g.followers), "a reward in [-1e+06, 1e+06]",
           number_text(g.follower_reward[at]));
  at = first_outside(g.leader_reward.data(), g.games, -1e6, 1e6);
  if (at < g.games)
    broken(world + ".move", in_game(at), "a leader's reward in [-1e+06, 1e+06]", number_text(g.leader_reward[at]));
}

}  // namespace paymaster
