// What a world on the grid shows and stores, field by field.
#pragma once

#include <algorithm>

#include "game/check.hpp"
#include "game/fields.hpp"
#include "worlds/grid/ground.hpp"

namespace paymaster {

template <int W>
template <class Visitor>
inline void GridGround<W>::observe_ground(const GridState<W>& s, int count, int types, Visitor&& field) const {
  const Shape followers{n_, 0}, resources{count, 0};
  // -1 once a resource is gone: without branches, because which are is as good as random.
  const auto shown = [&](int i, int value) { return value | (int{s.present[i]} - 1); };
  const double side = std::max(map_.rows, map_.columns) - 1;
  field("position", "row and column of each follower", Shape{n_, 2}, Whole(0, side),
        [&](int k, int axis) { return axis == 0 ? map_.row[s.cell[k]] : map_.column[s.cell[k]]; });
  field("heading", "0 up, 1 left, 2 down, 3 right", followers, Whole(0, 3), [&](int k, int) { return s.heading[k]; });
  field("resource_type", "goal type of each resource, -1 once it is gone", resources, Whole(kNone, types - 1),
        [&](int i, int) { return shown(i, s.resource_type[i]); });
  field("resource_position", "row and column of each resource, -1 once it is gone", Shape{count, 2}, Whole(kNone, side),
        [&](int i, int axis) {
          return shown(i, axis == 0 ? map_.row[s.resource_cell[i]] : map_.column[s.resource_cell[i]]);
        });
  field("resource_claimant", "follower that has claimed the resource, -1 nobody", resources, Whole(kNone, n_ - 1),
        [&](int i, int) { return shown(i, s.claimant[i]); });
}

template <int W>
template <class S, class Visitor>
inline void GridGround<W>::visit_ground(S& s, int count, int types, Visitor&& field) const {
  const Shape followers{n_, 0}, resources{count, 0};
  // Rows and columns are stored as one cell index, so each half of a position is replaced in turn.
  const auto place = [&](std::uint16_t& cell, int axis, std::int32_t value, const char* name) {
    expect_range(value, 0, (axis == 0 ? map_.rows : map_.columns) - 1, name);
    const int row = axis == 0 ? value : map_.row[cell], column = axis == 1 ? value : map_.column[cell];
    cell = static_cast<std::uint16_t>(row * map_.columns + column);
  };
  const auto half = [&](std::uint16_t cell, int axis) {
    return static_cast<int>(axis == 0 ? map_.row[cell] : map_.column[cell]);
  };
  using I = std::int32_t;
  field(
      "position", "row and column of each follower", Shape{n_, 2}, I{},
      [&](int k, int axis) { return half(s.cell[k], axis); },
      [&](int k, int axis, I value) { place(s.cell[k], axis, value, "position"); });
  field(
      "heading", "0 up, 1 left, 2 down, 3 right", followers, I{}, [&](int k, int) { return s.heading[k]; },
      [&](int k, int, I value) {
        expect_range(value, 0, 3, "heading");
        s.heading[k] = static_cast<std::uint8_t>(value);
      });
  field(
      "resource_type", "goal type of each resource", resources, I{}, [&](int i, int) { return s.resource_type[i]; },
      [&](int i, int, I value) {
        expect_range(value, 0, types - 1, "resource_type");
        s.resource_type[i] = static_cast<std::uint8_t>(value);
      });
  field(
      "resource_position", "row and column of each resource (of a removed one: where it was)", Shape{count, 2}, I{},
      [&](int i, int axis) { return half(s.resource_cell[i], axis); },
      [&](int i, int axis, I value) { place(s.resource_cell[i], axis, value, "resource_position"); });
  field(
      "resource_present", "false once the resource is removed", resources, bool{},
      [&](int i, int) { return s.present[i]; }, [&](int i, int, bool value) { s.present[i] = value; });
  field(
      "resource_claimant", "follower (0..N-1) that has claimed the resource, -1 nobody", resources, I{},
      [&](int i, int) { return s.claimant[i]; },
      [&](int i, int, I value) {
        expect_range(value, -1, n_ - 1, "resource_claimant");
        s.claimant[i] = static_cast<std::int8_t>(value);
      });
}

}  // namespace paymaster
