#include "paymaster/worlds/grid.hpp"

#include "paymaster/check.hpp"

namespace paymaster {

template <int W>
GridWorld<W>::GridWorld(const GameConfig& config)
    : map_(GridMap::parse(config.map)),
      search_(map_),
      n_(config.num_followers),
      goals_(config.num_goals),
      resources_(config.num_resources) {
  expect(map_.cells() <= 64 * W, "map", "at most " + std::to_string(64 * W) + " cells", map_.cells());
  for (int cell = 0; cell < map_.cells(); ++cell) {
    if (map_.free[static_cast<std::size_t>(cell)]) free_.set(cell);
  }
}

template <int W>
void GridWorld<W>::reset(State& state, Draws& draws) const {
  Board<W> room = free_;
  const auto take = [&](int cell) {
    room.clear(cell);
    return static_cast<std::uint16_t>(cell);
  };
  const auto anywhere = [&] {
    return room.nth(static_cast<int>(draws.below(static_cast<std::uint32_t>(room.count()))));
  };
  // Resources of a type gather: each next to a random earlier one of its type where there is room (M3RL).
  for (int i = 0; i < resources_; ++i) {
    const auto type = static_cast<std::uint8_t>(draws.below(static_cast<std::uint32_t>(goals_)));
    int earlier[State::kMaxResources], count = 0;
    for (int j = 0; j < i; ++j) {
      if (state.resource_type[j] == type) earlier[count++] = state.resource_cell[j];
    }
    int beside[4], free_beside = 0;
    if (count > 0) {
      const int neighbour = earlier[draws.below(static_cast<std::uint32_t>(count))];
      for (const int offset : map_.ahead) {
        if (room.test(neighbour + offset)) beside[free_beside++] = neighbour + offset;
      }
    }
    const int cell = free_beside > 0 ? beside[draws.below(static_cast<std::uint32_t>(free_beside))] : anywhere();
    state.resource_cell[i] = take(cell);
    state.resource_type[i] = type;
    state.claimant[i] = kNone;
    state.present[i] = true;
  }
  for (int k = 0; k < n_; ++k) {
    state.cell[k] = take(anywhere());
    state.heading[k] = static_cast<std::uint8_t>(draws.below(4));
  }
}

template <int W>
Board<W> GridWorld<W>::empty_cells(const State& state) const {
  Board<W> empty = free_;
  for (int i = 0; i < resources_; ++i) {
    if (state.present[i]) empty.clear(state.resource_cell[i]);
  }
  for (int k = 0; k < n_; ++k) empty.clear(state.cell[k]);
  return empty;
}

template <int W>
void GridWorld<W>::unclaimed(const State& state, std::array<Board<W>, kMaxGoals>& cells) const {
  for (int i = 0; i < resources_; ++i) {
    if (state.present[i] && state.claimant[i] == kNone) cells[state.resource_type[i]].set(state.resource_cell[i]);
  }
}

template <int W>
void GridWorld<W>::add_own(const State& state, int follower, int goal, Board<W>& cells) const {
  for (int i = 0; i < resources_; ++i) {
    if (state.present[i] && state.claimant[i] == follower && state.resource_type[i] == goal)
      cells.set(state.resource_cell[i]);
  }
}

template <int W>
bool GridWorld<W>::own_ahead(const State& state, int follower, int goal) const {
  Board<W> own{};
  add_own(state, follower, goal, own);
  return own.test(ahead(state, follower));
}

template <int W>
void GridWorld<W>::refresh(State& state) const {
  std::array<Board<W>, kMaxGoals> shared{};
  unclaimed(state, shared);
  unsigned wanted = 0;
  for (int g = 0; g < goals_; ++g) {
    state.available[g] = static_cast<std::uint8_t>(shared[g].count());
    wanted |= static_cast<unsigned>(state.available[g] > 0) << g;
  }
  const Board<W> empty = empty_cells(state);
  search_.distances(n_, state.cell, state.heading, empty, shared.data(), wanted, state.distance);

  // Claims make a difference to their claimant only. While any resource of a type is unclaimed, its own ones of the
  // type are targets too; otherwise only what it is already working on, straight ahead.
  std::uint32_t claimants = 0;
  for (int i = 0; i < resources_; ++i) {
    if (state.present[i] && state.claimant[i] != kNone) claimants |= 1u << state.claimant[i];
  }
  for (int k = 0; k < n_; ++k) {
    if (!(claimants >> k & 1)) continue;
    auto targets = shared;
    for (int g = 0; g < goals_; ++g) {
      if (wanted >> g & 1) add_own(state, k, g, targets[g]);
    }
    search_.distances(1, state.cell + k, state.heading + k, empty, targets.data(), wanted, state.distance + k);
    for (int g = 0; g < goals_; ++g) {
      if (!(wanted >> g & 1) && own_ahead(state, k, g)) state.distance[k][g] = 0;
    }
  }
}

template <int W>
void GridWorld<W>::plan(const State& state, const std::int8_t* chosen, std::uint8_t* actions) const {
  std::array<Board<W>, kMaxGoals> shared{};
  unclaimed(state, shared);
  const Board<W> empty = empty_cells(state);
  for (int k = 0; k < n_; ++k) {
    actions[k] = kStop;
    const int goal = chosen[k];
    if (goal == kNone) continue;
    const int distance = state.distance[k][goal];
    if (distance == 0) {
      actions[k] = kDig;
      continue;
    }
    Board<W> room = empty, targets = shared[goal];
    room.set(state.cell[k]);
    add_own(state, k, goal, targets);
    actions[k] = search_.first_action(state.cell[k], state.heading[k], room, targets, distance);
  }
}

template <int W>
void GridWorld<W>::move(State& state, const MoveContext& context, std::uint8_t* reached) const {
  Board<W> empty = empty_cells(state);
  int removed[kMaxFollowers];
  for (int k = 0; k < n_; ++k) {
    reached[k] = 0;
    removed[k] = kNone;
    const int next = ahead(state, k);
    switch (context.action[k]) {
      case kMove:
        if (empty.test(next)) {
          empty.set(state.cell[k]);
          empty.clear(next);
          state.cell[k] = static_cast<std::uint16_t>(next);
        }
        break;
      case kTurnLeft: state.heading[k] = (state.heading[k] + 1) & 3; break;
      case kTurnRight: state.heading[k] = (state.heading[k] + 3) & 3; break;
      case kDig:
        for (int i = 0; i < resources_; ++i) {
          if (!state.present[i] || state.resource_cell[i] != next) continue;
          if (state.claimant[i] == kNone) state.claimant[i] = static_cast<std::int8_t>(k);
          if (state.claimant[i] == k && (context.skill[k] >> state.resource_type[i] & 1)) removed[k] = i;
        }
        break;
      default: break;
    }
  }
  for (int k = 0; k < n_; ++k) {
    if (removed[k] == kNone) continue;
    state.present[removed[k]] = false;
    reached[k] = static_cast<std::uint8_t>(1u << state.resource_type[removed[k]]);
  }
}

template <int W>
bool GridWorld<W>::exhausted(const State& state) const {
  for (int i = 0; i < resources_; ++i) {
    if (state.present[i]) return false;
  }
  return true;
}

template <int W>
void GridWorld<W>::validate(const State& state) const {
  Board<W> taken{};
  const auto take = [&](int cell, const char* argument, const char* rule) {
    expect(free_.test(cell) && !taken.test(cell), argument, rule,
           "row " + std::to_string(map_.row[static_cast<std::size_t>(cell)]) + ", column " +
               std::to_string(map_.column[static_cast<std::size_t>(cell)]));
    taken.set(cell);
  };
  for (int i = 0; i < resources_; ++i) {
    if (state.present[i]) take(state.resource_cell[i], "resource_position", "a free cell of its own");
  }
  for (int k = 0; k < n_; ++k) take(state.cell[k], "position", "a free cell without resource or other follower");
}

template class GridWorld<2>;
template class GridWorld<4>;
template class GridWorld<8>;
template class GridWorld<16>;
template class GridWorld<64>;

}  // namespace paymaster
