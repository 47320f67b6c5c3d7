#include "worlds/grid/grid.hpp"

#include <algorithm>

namespace paymaster {

template <int W>
GridWorld<W>::GridWorld(const GameConfig& config)
    : Ground(config.own<GridConfig>().map, config.num_followers, config.num_goals,
             config.own<GridConfig>().num_resources) {}

template <int W>
void GridWorld<W>::reset(State& state, Draws& draws) const {
  typename Ground::Room room(*this);
  for (int i = 0; i < things_; ++i) {
    const int type = static_cast<int>(draws.below(static_cast<std::uint32_t>(goals_)));
    Ground::put_thing(state, i, room.take(room.beside_its_type(state, i, type, draws)), type);
  }
  Ground::place_followers(state, room, draws);
}

template <int W>
void GridWorld<W>::plan(const State& state, const std::int8_t* chosen, std::uint8_t* actions) const {
  for (int k = 0; k < n_; ++k) actions[k] = chosen[k] == kNone ? std::uint8_t{kStop} : state.route[k][chosen[k]];
}

template <int W>
void GridWorld<W>::move(State& state, const MoveContext& context, GoalSet* reached) const {
  Ground::walk(state, context.action, [&](int k, int action, int cell) {
    reached[k] = 0;
    if (action != kDig) return;
    const int type = Ground::dig(state, k, cell, things_, context.skill[k]);
    if (type != kNone) reached[k] = set_of(type);
  });
}

template <int W>
bool GridWorld<W>::exhausted(const State& state) const {
  return std::none_of(state.present, state.present + things_, [](bool there) { return there; });
}

template class GridWorld<2>;
template class GridWorld<4>;
template class GridWorld<8>;
template class GridWorld<16>;
template class GridWorld<64>;

}  // namespace paymaster
