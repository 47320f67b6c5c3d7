// A world in one file. Followers walk on a line of cells, where a goal of each type lies. Whoever ends a step on a goal's
// cell and has the skill has reached it; the goal is gone then.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>

#include "game/check.hpp"
#include "game/config.hpp"
#include "game/fields.hpp"
#include "game/rng.hpp"
#include "game/world.hpp"

namespace paymaster {

/// The world's own parameters; a world may do without.
struct LineConfig final : WorldParameters {
  int cells = 12;

  std::unique_ptr<WorldParameters> clone() const override { return std::make_unique<LineConfig>(*this); }
  void visit(ParameterVisitor& visitor) override { visitor("cells", cells, "cells on the line", 2, 1000); }
  void validate(const GameConfig&) const override {}
};

class LineWorld {
 public:
  static constexpr const char* kName = "line";  // that of no other world
  static constexpr int kMaxFollowers = 1024, kMaxGoals = 64;
  enum Action : std::uint8_t { kStay, kBack, kForth };
  static constexpr int kActions = 3;
  using Parameters = LineConfig;

  struct State {
    std::int16_t cell[kMaxFollowers];
    std::int16_t goal_cell[kMaxGoals];  // of each type
    bool goal_present[kMaxGoals];
  };

  explicit LineWorld(const GameConfig& config)
      : n_(config.num_followers), goals_(config.num_goals), cells_(config.own<LineConfig>().cells) {}

  // --- an episode -----------------------------------------------------------------------------------------------
  void reset(State& s, Draws& draws) const {
    for (int g = 0; g < goals_; ++g) {
      s.goal_cell[g] = cell(draws);
      s.goal_present[g] = true;
    }
    for (int k = 0; k < n_; ++k) s.cell[k] = cell(draws);
  }
  /// Nothing in the state is derived from the rest.
  void refresh(State&) const {}
  bool exhausted(const State& s) const {
    return std::none_of(s.goal_present, s.goal_present + goals_, std::identity{});
  }

  // --- what followers can do --------------------------------------------------------------------------------------
  int available(const State& s, int goal) const { return s.goal_present[goal]; }
  static int goal_objects(const GameConfig&) { return 1; }  // of a type
  /// One who stands on a goal already reaches it with the next action, if it ever can.
  int distance(const State& s, int follower, int goal) const {
    return s.goal_present[goal] ? std::max(std::abs(s.goal_cell[goal] - s.cell[follower]) - 1, 0) : kNone;
  }
  void plan(const State& s, const std::int8_t* chosen, std::uint8_t* actions) const {
    for (int k = 0; k < n_; ++k) {
      const int way = chosen[k] == kNone ? 0 : s.goal_cell[chosen[k]] - s.cell[k];
      actions[k] = way == 0 ? kStay : way < 0 ? kBack : kForth;
    }
  }
  static constexpr std::uint32_t kNoiseActions = 3;
  static std::uint8_t noise_action(std::uint32_t index) { return static_cast<std::uint8_t>(index); }

  void move(State& s, const MoveContext& context, GoalSet* reached) const {
    for (int k = 0; k < n_; ++k) {
      const int step = context.action[k] == kBack ? -1 : context.action[k] == kForth ? 1 : 0;
      s.cell[k] = static_cast<std::int16_t>(std::clamp(s.cell[k] + step, 0, cells_ - 1));
      reached[k] = 0;
    }
    for (int k = 0; k < n_; ++k) {
      for (int g = 0; g < goals_; ++g) {
        if (!s.goal_present[g] || s.goal_cell[g] != s.cell[k] || !holds(context.skill[k], g)) continue;
        s.goal_present[g] = false;
        reached[k] |= set_of(g);
      }
    }
  }

  // --- fields of the observation and of the state, by name --------------------------------------------------------
  template <class Visitor>
  void observe(const State& s, Visitor&& field) const {
    field("cell", "of each follower", Shape{n_, 0}, Whole(0, cells_ - 1), [&](int k, int) { return s.cell[k]; });
    field("goal_cell", "of each type's goal, -1 once it is gone", Shape{goals_, 0}, Whole(kNone, cells_ - 1),
          [&](int g, int) { return s.goal_present[g] ? s.goal_cell[g] : kNone; });
  }
  template <class S, class Visitor>
  void visit(S& s, Visitor&& field) const {
    const auto cells = [&](const char* name, const char* meaning, int count, auto* cell) {
      field(
          name, meaning, Shape{count, 0}, std::int32_t{}, [cell](int i, int) { return cell[i]; },
          [this, cell, name](int i, int, std::int32_t value) {
            expect_range(value, 0, cells_ - 1, name);
            cell[i] = static_cast<std::int16_t>(value);
          });
    };
    cells("cell", "of each follower", n_, s.cell);
    cells("goal_cell", "of each type's goal", goals_, s.goal_cell);
    field(
        "goal_present", "false once it has been reached", Shape{goals_, 0}, bool{},
        [&](int g, int) { return s.goal_present[g]; }, [&](int g, int, bool value) { s.goal_present[g] = value; });
  }
  /// Ranges are all there is to a legal state: followers may share a cell.
  void validate(const State&) const {}

 private:
  std::int16_t cell(Draws& draws) const {
    return static_cast<std::int16_t>(draws.below(static_cast<std::uint32_t>(cells_)));
  }

  int n_, goals_, cells_;
};

}  // namespace paymaster
