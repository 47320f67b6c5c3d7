#include "support/grid_rules.hpp"

#include "support/queue_search.hpp"

namespace paymaster::test {
namespace {

std::size_t size(int n) { return static_cast<std::size_t>(n); }

Cells free_cells(const GridMap& map) {
  Cells free;
  for (const auto cell : map.free) free.push_back(cell != 0);
  return free;
}

/// Cells without wall, resource or follower.
Cells empty_cells(const GameConfig& config, const GridMap& map, const GameView& state) {
  Cells empty = free_cells(map);
  for (int i = 0; i < config.own<GridConfig>().num_resources; ++i) {
    if (state.resource_present[i]) empty[size(state.resource_cell(i))] = false;
  }
  for (int k = 0; k < config.num_followers; ++k) empty[size(state.cell(k))] = false;
  return empty;
}

bool digs(const PlayedStep& s, int k, int resource) {
  return s.action[k] == kDig && s.before.resource_present[resource] &&
         s.ahead_before(k) == s.before.resource_cell(resource);
}

}  // namespace

std::vector<unsigned> reached_on_grid(const PlayedStep& s) {
  std::vector<unsigned> reached(size(s.config.num_followers));
  for (int i = 0; i < s.config.own<GridConfig>().num_resources; ++i) {
    if (s.before.resource_present[i] && !s.after.resource_present[i])
      reached[size(s.after.resource_claimant[i])] |= 1u << s.before.resource_type[i];
  }
  return reached;
}

std::string broken_rule_of_bodies(const PlayedStep& s) {
  // Nobody in a wall, no two in one cell, nobody on a resource.
  Cells room = free_cells(s.map);
  const auto take = [&](int cell) {
    const bool was_free = room[size(cell)];
    room[size(cell)] = false;
    return was_free;
  };
  for (int i = 0; i < s.config.own<GridConfig>().num_resources; ++i) {
    if (s.after.resource_present[i] && !take(s.after.resource_cell(i))) return "a resource shares its cell";
  }
  for (int k = 0; k < s.config.num_followers; ++k) {
    if (!take(s.after.cell(k))) return of_follower("a body in a wall, on a resource or on another body", k);
  }
  // Moves in follower order; resources removed in this step block until its end.
  Cells empty = empty_cells(s.config, s.map, s.before);
  for (int k = 0; k < s.config.num_followers; ++k) {
    int cell = s.before.cell(k), heading = s.before.heading[k];
    const int ahead = s.ahead_before(k);
    if (s.action[k] == kTurnLeft) heading = (heading + 1) % 4;
    if (s.action[k] == kTurnRight) heading = (heading + 3) % 4;
    if (s.action[k] == kMove && empty[size(ahead)]) {
      empty[size(cell)] = true;
      empty[size(ahead)] = false;
      cell = ahead;
    }
    if (s.after.cell(k) != cell || s.after.heading[k] != heading) return of_follower("not where its action leads", k);
    if (s.after.action[k] != s.action[k]) return of_follower("the state holds another action", k);
  }
  return "";
}

std::string broken_rule_of_claims(const PlayedStep& s) {
  for (int i = 0; i < s.config.own<GridConfig>().num_resources; ++i) {
    if (s.after.resource_type[i] != s.before.resource_type[i]) return "a resource changed its type";
    if (s.after.resource_cell(i) != s.before.resource_cell(i)) return "a resource moved";
    if (!s.before.resource_present[i] && s.after.resource_present[i]) return "a removed resource came back";
    int claimant = s.before.resource_claimant[i];
    for (int k = 0; claimant == kNone && k < s.config.num_followers; ++k) {
      if (digs(s, k, i)) claimant = k;  // the first to dig has it for the rest of the episode
    }
    if (s.after.resource_claimant[i] != claimant) return "a resource with the wrong claimant";
    const bool worked = claimant != kNone && digs(s, claimant, i);
    const bool removed = worked && s.before.skill[claimant * s.config.num_goals + s.before.resource_type[i]];
    if (s.after.resource_present[i] != (s.before.resource_present[i] && !removed))
      return "a resource goes when its claimant digs it with the skill, and only then";
  }
  return "";
}

std::string broken_rule_of_actions(const PlayedStep& s) {
  for (int k = 0; k < s.config.num_followers; ++k) {
    const int action = s.action[k], goal = s.wanted_goal(k), at = k * s.config.num_goals + goal;
    if (s.config.noise == 1 && action == kDig) return of_follower("noise does not dig", k);
    if (s.config.noise > 0) continue;
    bool right = action == kMove || action == kTurnLeft || action == kTurnRight;
    if (goal == kNone) right = action == kStop;
    else if (s.planned != nullptr) right = action == s.planned[at];
    else if (s.distance_before[at] == 0) right = action == kDig;
    if (!right) return of_follower("an action its plan does not give", k);
  }
  return "";
}

std::string broken_rule_of_routes(const GameConfig& config, const GridMap& map, const GameView& state,
                                  const std::int16_t* distance, const std::int16_t* available, int* first_action) {
  const int goals = config.num_goals;
  std::vector<int> left(size(goals));
  for (int i = 0; i < config.own<GridConfig>().num_resources; ++i) {
    if (state.resource_present[i] && state.resource_claimant[i] == kNone) ++left[size(state.resource_type[i])];
  }
  for (int g = 0; g < goals; ++g) {
    if (available[g] != left[size(g)]) return "available of type " + std::to_string(g);
  }
  for (int k = 0; k < config.num_followers; ++k) {
    Cells free = empty_cells(config, map, state);
    free[size(state.cell(k))] = true;
    const int ahead = state.cell(k) + map.ahead[size(state.heading[k])];
    std::vector<Cells> targets(size(goals), Cells(free.size()));
    for (int i = 0; i < config.own<GridConfig>().num_resources; ++i) {
      const int claimant = state.resource_claimant[i], cell = state.resource_cell(i), type = state.resource_type[i];
      if (!state.resource_present[i] || (claimant != kNone && claimant != k)) continue;
      // With every resource of a type claimed, its own one counts only straight ahead.
      if (left[size(type)] > 0 || cell == ahead) targets[size(type)][size(cell)] = true;
    }
    auto routes = queue_search(map, free, state.cell(k), state.heading[k], targets);
    for (int g = 0; g < goals; ++g) {
      const bool in_place = targets[size(g)][size(ahead)];
      if (left[size(g)] == 0 && !in_place) routes[size(g)] = {};
      if (distance[k * goals + g] != routes[size(g)].distance)
        return of_follower("distance to type " + std::to_string(g), k);
      if (first_action != nullptr) first_action[k * goals + g] = in_place ? int{kDig} : routes[size(g)].first_action;
    }
  }
  return "";
}

}  // namespace paymaster::test
