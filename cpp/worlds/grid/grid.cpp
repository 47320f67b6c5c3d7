#include "worlds/grid/grid.hpp"

#include <algorithm>
#include <bit>

#include "game/check.hpp"

namespace paymaster {

template <int W>
GridWorld<W>::GridWorld(const GameConfig& config)
    : map_(GridMap::parse(config.own<GridConfig>().map)),
      search_(map_),
      free_{},
      n_(config.num_followers),
      goals_(config.num_goals),
      resources_(config.own<GridConfig>().num_resources) {
  expect(map_.cells() <= 64 * W, "map", "at most " + std::to_string(64 * W) + " cells", map_.cells());
  rank_.resize(map_.free.size());
  for (int cell = 0; cell < map_.cells(); ++cell) {
    if (!map_.free[static_cast<std::size_t>(cell)]) continue;
    free_.set(cell);
    rank_[static_cast<std::size_t>(cell)] = static_cast<std::uint16_t>(free_cells_.size());
    free_cells_.push_back(static_cast<std::uint16_t>(cell));
  }
}

template <int W>
void GridWorld<W>::reset(State& state, Draws& draws) const {
  Board<W> room = free_;
  // A uniform draw from the cells left, row by row: steps over those that are taken, which are kept in order.
  int taken[kGridResources + kMaxFollowers], takes = 0;
  const auto take = [&](int cell) {
    room.clear(cell);
    int at = takes++;
    for (; at > 0 && taken[at - 1] > rank_[static_cast<std::size_t>(cell)]; --at) taken[at] = taken[at - 1];
    taken[at] = rank_[static_cast<std::size_t>(cell)];
    return static_cast<std::uint16_t>(cell);
  };
  const auto anywhere = [&] {
    std::uint32_t n = draws.below(static_cast<std::uint32_t>(free_cells_.size()) - static_cast<std::uint32_t>(takes));
    for (int i = 0; i < takes && static_cast<std::uint32_t>(taken[i]) <= n; ++i) ++n;
    return int{free_cells_[n]};
  };
  // Resources of a type gather: each next to a random earlier one of its type where there is room (M3RL).
  for (int i = 0; i < resources_; ++i) {
    const auto type = static_cast<std::uint8_t>(draws.below(static_cast<std::uint32_t>(goals_)));
    int earlier[kGridResources], count = 0;
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
void GridWorld<W>::refresh(State& state) const {
  Board<W> unclaimed[kGridGoals] = {};
  std::array<std::uint8_t, kGridGoals> available{};
  Board<W> empty = free_;
  std::uint64_t claims = 0;               // bit i: resource i is claimed
  for (int i = 0; i < resources_; ++i) {  // without branches: what is there and free is as good as random
    const int cell = state.resource_cell[i], type = state.resource_type[i];
    const std::uint64_t present = state.present[i], free = present & std::uint64_t{state.claimant[i] < 0};
    empty.clear_if(present, cell);
    unclaimed[type].set_if(free, cell);
    available[static_cast<std::size_t>(type)] =
        static_cast<std::uint8_t>(available[static_cast<std::size_t>(type)] + free);
    claims |= (present ^ free) << i;
  }
  for (int k = 0; k < n_; ++k) {
    empty.clear(state.cell[k]);
    std::fill_n(state.distance[k], kGridGoals, std::int16_t{kNone});
    std::fill_n(state.route[k], kGridGoals, std::uint8_t{kStop});
  }
  std::copy(available.begin(), available.end(), state.available);
  state.empty = empty;
  Query queries[kMaxQueries];
  int count = 0, at[kGridGoals];
  for (int g = 0; g < goals_; ++g) {
    at[g] = count;
    queries[count] = {unclaimed[g], (1u << n_) - 1, g};
    count += available[static_cast<std::size_t>(g)] > 0;
  }
  if (claims != 0) count = ask_for_own(state, claims, queries, count, at);
  search_.routes(n_, state.cell, state.heading, empty, queries, count, state.distance, state.route);
}

template <int W>
int GridWorld<W>::ask_for_own(State& state, std::uint64_t claims, Query* queries, int count, const int* at) const {
  // While any resource of a type is unclaimed, its own ones of the type are targets too; otherwise only what it is
  // already working on, straight ahead.
  const int shared = count;
  for (std::uint64_t left = claims; left != 0; left &= left - 1) {
    const int i = std::countr_zero(left);
    const int k = state.claimant[i], g = state.resource_type[i];
    if (ahead(state, k) != state.resource_cell[i]) continue;
    state.distance[k][g] = 0;
    state.route[k][g] = kDig;
    if (state.available[g] > 0) queries[at[g]].asked &= ~(1u << k);
  }
  for (std::uint64_t left = claims; left != 0; left &= left - 1) {
    const int i = std::countr_zero(left);
    const int k = state.claimant[i], g = state.resource_type[i];
    if (state.available[g] == 0) continue;
    const std::uint32_t alone = 1u << k;
    if (queries[at[g]].asked & alone) {
      queries[at[g]].asked &= ~alone;
      queries[count] = queries[at[g]];
      queries[count++].asked = alone;
    }
    for (int j = shared; j < count; ++j) {
      if (queries[j].asked == alone && queries[j].goal == g) queries[j].targets.set(state.resource_cell[i]);
    }
  }
  return count;
}

template <int W>
void GridWorld<W>::plan(const State& state, const std::int8_t* chosen, std::uint8_t* actions) const {
  for (int k = 0; k < n_; ++k) actions[k] = chosen[k] == kNone ? std::uint8_t{kStop} : state.route[k][chosen[k]];
}

template <int W>
void GridWorld<W>::move(State& state, const MoveContext& context, GoalSet* reached) const {
  constexpr std::uint8_t kTurn[kGridActions] = {0, 1, 3, 0, 0};
  Board<W> empty = state.empty;
  for (int k = 0; k < n_; ++k) {
    reached[k] = 0;
    const int next = ahead(state, k), action = context.action[k];
    const bool moves = action == kMove && empty.test(next);
    empty.set_if(moves, state.cell[k]);
    empty.clear_if(moves, next);
    state.cell[k] = static_cast<std::uint16_t>(moves ? next : state.cell[k]);
    state.heading[k] = (state.heading[k] + kTurn[action]) & 3;
    if (action != kDig) continue;
    std::uint64_t found = 0;  // at most one
    for (int i = 0; i < resources_; ++i) {
      const unsigned here = state.resource_cell[i] == next;
      found |= std::uint64_t{here & state.present[i]} << i;
    }
    if (found == 0) continue;
    const int i = std::countr_zero(found);
    if (state.claimant[i] == kNone) state.claimant[i] = static_cast<std::int8_t>(k);
    if (state.claimant[i] != k || !holds(context.skill[k], state.resource_type[i])) continue;
    reached[k] = set_of(state.resource_type[i]);
    state.present[i] = false;  // it blocks its cell until the end of the step: `empty` does not have it
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
