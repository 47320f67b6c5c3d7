// What the game layer sees of a world whose rules play all games at once: for each game, its rows of the arrays.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>

#include "game/check.hpp"
#include "game/world.hpp"
#include "worlds/arrays/array_games.hpp"

namespace paymaster {

/// With room for so many followers and goal types. Moving and resetting is for the batch (array_batch.hpp).
template <int Followers, int Goals>
class ArrayWorld {
 public:
  struct State {
    std::int32_t game;  // which rows
  };
  static constexpr int kMaxFollowers = Followers, kMaxGoals = Goals;

  ArrayWorld(std::shared_ptr<ArrayGames> games, int actions)
      : distance_(games->distance.data()),
        followers_(games->followers),
        goals_(games->goals),
        all_(~GoalSet{0} >> (static_cast<std::size_t>(paymaster::kMaxGoals) - games->goals)),
        actions_(actions) {
    games_ = std::move(games);
  }

  int actions() const { return actions_; }
  ArrayGames& games() const { return *games_; }

  /// Notes that the game's episode begins, with the draws that go on where those of its followers end.
  void reset(State& s, Draws& draws) const {
    games_->starts[at(s)] = true;
    games_->draws[at(s)] = draws;
  }
  void refresh(State&) const {}  // for all games at once
  int distance(const State& s, int follower, int goal) const {
    return distance_[(at(s) * followers_ + static_cast<std::size_t>(follower)) * goals_ +
                     static_cast<std::size_t>(goal)];
  }
  /// Of all followers and goal types, [N, G].
  const std::int16_t* distances(const State& s) const { return distance_ + at(s) * followers_ * goals_; }
  int available(const State& s, int goal) const {
    return games_->available[at(s) * games_->goals + static_cast<std::size_t>(goal)];
  }
  static int goal_objects(const GameConfig& config) { return config.world->goal_objects(config); }
  /// Where it is asked for (`observe_routes`).
  std::uint8_t route(const State& s, int follower, int goal) const {
    return games_->route[games_->pair(at(s), follower, goal)];
  }
  void plan(const State&, const std::int8_t*, std::uint8_t*) const {}  // for all games at once
  void move(State& s, const MoveContext&, GoalSet* reached, Earned& earned) const {
    const bool* there = games_->reached.get() + games_->pair(at(s), 0, 0);
    const float* rewards = games_->follower_reward.data() + at(s) * followers_;
    for (std::size_t k = 0; k < followers_; ++k, there += goals_) {
      reached[k] = set_of(there);
      earned.follower[k] = rewards[k];
    }
    earned.leader = games_->leader_reward[at(s)];
  }
  bool exhausted(const State& s) const { return games_->exhausted[at(s)]; }

  template <class Visitor>
  void observe(const State& s, Visitor&& field) const {
    for (const WorldArray& array : games_->own) {
      if (!array.shown) continue;
      const FieldInfo& f = array.field;
      with_type(array.type, [&]<class T>() {
        const InOrder<T> get{row_of<T>(array, s), f.shape.inner()};
        if constexpr (std::is_floating_point_v<T>)
          field(f.name.c_str(), f.meaning.c_str(), f.shape, Real(f.low, f.high), get);
        else field(f.name.c_str(), f.meaning.c_str(), f.shape, Whole(f.low, f.high), get);
      });
    }
  }
  template <class S, class Visitor>
  void visit(S& s, Visitor&& field) const {
    for (const WorldArray& array : games_->own) {
      const FieldInfo& f = array.field;
      with_type(array.type, [&]<class T>() {
        T* const row = row_of<T>(array, s);
        const int inner = f.shape.inner();
        field(
            f.name.c_str(), f.meaning.c_str(), f.shape, T{}, [=](int i, int j) { return row[i * inner + j]; },
            [=, &f](int i, int j, T value) {
              if constexpr (std::is_same_v<T, bool>) static_cast<void>(f);  // clang: captured, and not used
              else expect_range(static_cast<double>(value), f.low, f.high, f.name);
              row[i * inner + j] = value;
            });
      });
    }
  }
  void validate(const State&) const {}

 private:
  /// The goal types that are marked. Reads kReadBeyond.
  GoalSet set_of(const bool* marked) const {
    static_assert(std::endian::native == std::endian::little);
    GoalSet set = 0;
    for (std::size_t g = 0; g < goals_; g += 8) {  // eight bytes of 0 and 1: their lowest bits, side by side
      std::uint64_t bytes;
      std::memcpy(&bytes, marked + g, 8);
      set |= (bytes * 0x0102040810204080) >> 56 << g;
    }
    return set & all_;
  }
  static std::size_t at(const State& s) { return static_cast<std::size_t>(s.game); }
  template <class T>
  static T* row_of(const WorldArray& array, const State& s) {
    return static_cast<T*>(array.data) + at(s) * static_cast<std::size_t>(array.field.shape.count());
  }

  std::shared_ptr<ArrayGames> games_;
  const std::int16_t* distance_;
  std::size_t followers_, goals_;
  GoalSet all_;
  int actions_;
};

}  // namespace paymaster
