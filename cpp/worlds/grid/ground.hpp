// The ground of a world on the grid: followers on cells, and things to work on that block theirs. A thing is worked on from
// the cell before it, by who faces it. The first to do so claims it, and nobody else can use it from then on.
//
// Worlds are built on it: grid.hpp (resources to collect), crafting.hpp (materials, and stations to craft at). W is the
// number of 64-bit words a map's cells need.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "game/rng.hpp"
#include "game/world.hpp"
#include "worlds/grid/bitboard.hpp"
#include "worlds/grid/limits.hpp"
#include "worlds/grid/map.hpp"
#include "worlds/grid/search.hpp"

namespace paymaster {

/// The planes of a ground's cells: its walls, and a plane for each type of the first `count` things that are still there.
PlaneWorld planes_of_ground(const std::string& map, int types, int count);

template <int W>
struct GridState {
  std::uint16_t cell[kGridFollowers];    // of a follower
  std::uint8_t heading[kGridFollowers];  // up, left, down, right
  std::uint16_t resource_cell[kGridResources];
  std::uint8_t resource_type[kGridResources];
  std::int8_t claimant[kGridResources];  // follower's index, -1 nobody
  bool present[kGridResources];          // not removed yet
  // Derived.
  Board<W> empty;                                     // cells without wall, resource or follower
  std::int16_t distance[kGridFollowers][kGridGoals];  // the planner's, for this state
  std::uint8_t route[kGridFollowers][kGridGoals];     // its first action, `stop` where unreachable
  std::uint8_t available[kGridGoals];                 // unclaimed resources of each type
};

template <int W>
class GridGround {
 public:
  static constexpr int kMaxFollowers = kGridFollowers, kMaxGoals = kGridGoals;
  static std::vector<BodyField> body(const GameConfig&) { return {{.name = "heading", .categories = 4}}; }

  /// `things` counts all that a state has.
  GridGround(const std::string& map, int followers, int goals, int things);

  /// Brings the derived parts (the planner's routes, what is available) up to date with the rest of the state.
  void refresh(GridState<W>& state) const;
  int distance(const GridState<W>& state, int follower, int goal) const { return state.distance[follower][goal]; }
  /// Unclaimed things left of a type.
  int available(const GridState<W>& state, int goal) const { return state.available[goal]; }

  const GridMap& map() const { return map_; }

 protected:
  /// Room for a new episode: the cells that are free, and uniform draws from them.
  class Room {
   public:
    explicit Room(const GridGround& ground) : ground_(ground), board_(ground.free_) {}

    bool free(int cell) const { return board_.test(cell); }
    std::uint16_t take(int cell) {
      board_.clear(cell);
      const int place = ground_.rank_[static_cast<std::size_t>(cell)];
      int at = takes_++;
      for (; at > 0 && taken_[at - 1] > place; --at) taken_[at] = taken_[at - 1];
      taken_[at] = place;
      return static_cast<std::uint16_t>(cell);
    }
    /// A uniform draw from the cells left, row by row: steps over those that are taken, which are kept in order.
    int anywhere(Draws& draws) const {
      const auto& cells = ground_.free_cells_;
      std::uint32_t n = draws.below(static_cast<std::uint32_t>(cells.size()) - static_cast<std::uint32_t>(takes_));
      for (int i = 0; i < takes_ && static_cast<std::uint32_t>(taken_[i]) <= n; ++i) ++n;
      return int{cells[n]};
    }
    /// Things of a type gather: a cell for thing i next to a random earlier one of its type where there is room (M3RL).
    int beside_its_type(const GridState<W>& state, int i, int type, Draws& draws) const {
      int earlier[kGridResources], count = 0;
      for (int j = 0; j < i; ++j) {
        if (state.resource_type[j] == type) earlier[count++] = state.resource_cell[j];
      }
      int beside[4], free_beside = 0;
      if (count > 0) {
        const int neighbour = earlier[draws.below(static_cast<std::uint32_t>(count))];
        for (const int offset : ground_.map_.ahead) {
          if (free(neighbour + offset)) beside[free_beside++] = neighbour + offset;
        }
      }
      return free_beside > 0 ? beside[draws.below(static_cast<std::uint32_t>(free_beside))] : anywhere(draws);
    }

   private:
    const GridGround& ground_;
    Board<W> board_;
    int taken_[kGridResources + kGridFollowers], takes_ = 0;
  };

  static void put_thing(GridState<W>& state, int i, std::uint16_t cell, int type) {
    state.resource_cell[i] = cell;
    state.resource_type[i] = static_cast<std::uint8_t>(type);
    state.claimant[i] = kNone;
    state.present[i] = true;
  }
  void place_followers(GridState<W>& state, Room& room, Draws& draws) const {
    for (int k = 0; k < n_; ++k) {
      state.cell[k] = room.take(room.anywhere(draws));
      state.heading[k] = static_cast<std::uint8_t>(draws.below(4));
    }
  }

  /// Moves and turns, in the followers' order. After each follower's, work(k, action, cell) does the rest of its action on
  /// the cell that was ahead of it. What it removes blocks its cell until the end of the step.
  template <class Work>
  [[gnu::always_inline]] inline void walk(GridState<W>& state, const std::uint8_t* actions, Work&& work) const {
    constexpr std::uint8_t kTurn[] = {0, 1, 3, 0, 0, 0};
    Board<W> empty = state.empty;
    for (int k = 0; k < n_; ++k) {
      const int next = ahead(state, k), action = actions[k];
      const bool moves = action == kMove && empty.test(next);
      empty.set_if(moves, state.cell[k]);
      empty.clear_if(moves, next);
      state.cell[k] = static_cast<std::uint16_t>(moves ? next : state.cell[k]);
      state.heading[k] = (state.heading[k] + kTurn[action]) & 3;
      work(k, action, next);
    }
  }
  /// Follower k digs at a cell for one of the first `count` things: claims it, and with the skill removes it. Returns the
  /// type of what it has removed, or kNone.
  [[gnu::always_inline]] inline int dig(GridState<W>& state, int k, int cell, int count, GoalSet skill) const {
    std::uint64_t found = 0;  // at most one
    for (int i = 0; i < count; ++i) {
      const unsigned here = state.resource_cell[i] == cell;
      found |= std::uint64_t{here & state.present[i]} << i;
    }
    if (found == 0) return kNone;
    const int i = std::countr_zero(found);
    if (state.claimant[i] == kNone) state.claimant[i] = static_cast<std::int8_t>(k);
    if (state.claimant[i] != k || !holds(skill, state.resource_type[i])) return kNone;
    state.present[i] = false;
    return state.resource_type[i];
  }

  /// The fields of bodies and of the first `count` things.
  template <class Visitor>
  void observe_ground(const GridState<W>& state, int count, int types, Visitor&& field) const;
  template <class S, class Visitor>
  void visit_ground(S& state, int count, int types, Visitor&& field) const;
  /// Throws std::invalid_argument when two are on one cell, or somebody is in a wall.
  void validate_ground(const GridState<W>& state) const;

  int ahead(const GridState<W>& state, int follower) const {
    return state.cell[follower] + map_.ahead[state.heading[follower]];
  }

  GridMap map_;
  GridSearch<W> search_;
  Board<W> free_;
  std::vector<std::uint16_t> free_cells_, rank_;  // row by row; a free cell's place in that list
  int n_, goals_, things_;

 private:
  using Query = GridQuery<W>;
  static constexpr int kMaxQueries = kGridGoals + kGridResources;

  /// A claim makes a difference to its claimant only. Writes its routes of length 0, and changes what it asks for: adds
  /// to the `count` queries, of which that of an available goal type g is at[g]. Returns how many there are then.
  int ask_for_own(GridState<W>& state, std::uint64_t claims, Query* queries, int count, const int* at) const;
};

}  // namespace paymaster

#include "worlds/grid/ground_fields.hpp"
