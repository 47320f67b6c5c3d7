#include "worlds/grid/ground.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "game/check.hpp"

namespace paymaster {

PlaneWorld planes_of_ground(const std::string& map, int types, int count) {
  const GridMap parsed = GridMap::parse(map);
  PlaneWorld planes;
  planes.rows = parsed.rows;
  planes.columns = parsed.columns;
  for (const std::uint8_t free : parsed.free) planes.wall.push_back(1 - free);
  planes.types = types;
  planes.objects = count;
  planes.object_type = "resource_type";
  planes.object_position = "resource_position";
  return planes;
}

template <int W>
GridGround<W>::GridGround(const std::string& map, int followers, int goals, int things)
    : map_(GridMap::parse(map)), search_(map_), free_{}, n_(followers), goals_(goals), things_(things) {
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
void GridGround<W>::refresh(GridState<W>& state) const {
  Board<W> unclaimed[kGridGoals] = {};
  std::array<std::uint8_t, kGridGoals> available{};
  Board<W> empty = free_;
  std::uint64_t claims = 0;            // bit i: resource i is claimed
  for (int i = 0; i < things_; ++i) {  // without branches: what is there and free is as good as random
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
int GridGround<W>::ask_for_own(GridState<W>& state, std::uint64_t claims, Query* queries, int count,
                               const int* at) const {
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
void GridGround<W>::validate_ground(const GridState<W>& state) const {
  Board<W> taken{};
  const auto take = [&](int cell, const char* argument, const char* rule) {
    expect(free_.test(cell) && !taken.test(cell), argument, rule,
           "row " + std::to_string(map_.row[static_cast<std::size_t>(cell)]) + ", column " +
               std::to_string(map_.column[static_cast<std::size_t>(cell)]));
    taken.set(cell);
  };
  for (int i = 0; i < things_; ++i) {
    if (state.present[i]) take(state.resource_cell[i], "resource_position", "a free cell of its own");
  }
  for (int k = 0; k < n_; ++k) take(state.cell[k], "position", "a free cell without resource or other follower");
}

template class GridGround<2>;
template class GridGround<4>;
template class GridGround<8>;
template class GridGround<16>;
template class GridGround<64>;

}  // namespace paymaster
