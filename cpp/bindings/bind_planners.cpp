// The route planners over NumPy arrays, apart from any game. Each checks its arguments first; the loops run without the
// GIL, which is safe because they read arrays this call holds and write memory that no one else has yet.
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "arrays.hpp"
#include "tasks/tasks.hpp"
#include "worlds/grid/routes.hpp"
#include "worlds/particles/steering.hpp"
#include "worlds/particles/steering_config.hpp"

namespace paymaster::bindings {
namespace {

using Numbers = Array<double>;

// ---- the grid

/// The followers' poses, copied: whatever happens to the arrays while the loop runs, they stay on the map.
struct Poses {
  std::vector<std::uint16_t> cell;
  std::vector<std::uint8_t> heading;
};

std::string place(int row, int column) { return "row " + std::to_string(row) + ", column " + std::to_string(column); }

Poses checked_poses(const GridMap& map, const Array<std::int32_t>& position, const Array<std::int32_t>& heading) {
  expect_pairs(position, "position", 2, -1);
  const py::ssize_t rows = position.shape(0);
  expect(heading.ndim() == 1 && heading.shape(0) == rows, "heading", "shape [B] with B = " + std::to_string(rows),
         shape_of(heading));
  Poses poses;
  for (py::ssize_t b = 0; b < rows; ++b) {
    const std::int32_t row = position.data()[2 * b], column = position.data()[2 * b + 1], facing = heading.data()[b];
    const bool inside = row >= 0 && row < map.rows && column >= 0 && column < map.columns;
    expect(inside && map.free[static_cast<std::size_t>(row * map.columns + column)], "position",
           "free cells of the map", place(row, column));
    expect_range(facing, 0, 3, "heading");
    poses.cell.push_back(static_cast<std::uint16_t>(row * map.columns + column));
    poses.heading.push_back(static_cast<std::uint8_t>(facing));
  }
  return poses;
}

CellSets checked_cells(const GridMap& map, const Array<bool>& cells, const char* name, std::size_t rows) {
  const bool shared = cells.ndim() == 2;
  const int first = shared ? 0 : 1;  // axis of the rows
  const std::string size = std::to_string(map.rows) + ", " + std::to_string(map.columns) + "]";
  expect((shared || (cells.ndim() == 3 && cells.shape(0) == static_cast<py::ssize_t>(rows))) &&
             cells.shape(first) == map.rows && cells.shape(first + 1) == map.columns,
         name, "shape [" + std::to_string(rows) + ", " + size + " or [" + size, shape_of(cells));
  return {reinterpret_cast<const std::uint8_t*>(cells.data()), shared ? 0 : static_cast<std::size_t>(map.cells())};
}

void expect_no_walls(const GridMap& map, const CellSets& sets, std::size_t rows, const char* name) {
  const auto count = static_cast<std::size_t>(map.cells());
  for (std::size_t b = 0; b < (sets.stride == 0 ? 1 : rows); ++b) {
    const std::uint8_t* cells = sets.of(b);
    for (std::size_t i = 0; i < count; ++i) {
      if (cells[i] != 0 && !map.free[i])
        reject(name, "free cells of the map", "wall at " + place(map.row[i], map.column[i]));
    }
  }
}

/// Writes the ragged routes into rows of equal length that are filled with -1.
void write_routes(const GridMap& map, const Poses& start, const GridRoutes& routes, std::int32_t* distance,
                  std::int32_t* play, std::int32_t* actions, std::int32_t* poses) {
  const auto longest = static_cast<std::size_t>(routes.longest());
  for (std::size_t b = 0; b < start.cell.size(); ++b) {
    distance[b] = routes.distance[b];
    play[b] = routes.play(b);
    std::int32_t *action = actions + b * longest, *pose = poses + b * (longest + 1) * 3;
    std::size_t cell = start.cell[b], heading = start.heading[b];
    const auto stand = [&] {
      *pose++ = map.row[cell];
      *pose++ = map.column[cell];
      *pose++ = static_cast<std::int32_t>(heading);
    };
    stand();
    for (std::size_t i = routes.first[b]; i < routes.first[b + 1]; ++i) {
      *action++ = routes.action[i];
      if (routes.action[i] == kMove) cell += static_cast<std::size_t>(map.ahead[heading]);
      else heading = (heading + (routes.action[i] == kTurnLeft ? 1 : 3)) & 3;
      stand();
    }
  }
}

py::tuple grid_path(const std::string& text, const Array<std::int32_t>& position, const Array<std::int32_t>& heading,
                    const Array<bool>& targets, const std::optional<Array<bool>>& blocked) {
  const GridMap map = GridMap::parse(text);
  const Poses poses = checked_poses(map, position, heading);
  const CellSets goals = checked_cells(map, targets, "targets", poses.cell.size());
  expect_no_walls(map, goals, poses.cell.size(), "targets");
  const CellSets taken = blocked ? checked_cells(map, *blocked, "blocked", poses.cell.size()) : CellSets{};
  GridRoutes routes;
  {
    py::gil_scoped_release release;
    routes = grid_routes(map, poses.cell, poses.heading, goals, taken);
  }
  const py::ssize_t rows = position.shape(0), longest = routes.longest();
  py::array_t<std::int32_t> distance(rows), play(rows), actions({rows, longest}),
      way({rows, longest + 1, py::ssize_t{3}});
  std::int32_t *to_distance = distance.mutable_data(), *to_play = play.mutable_data();
  std::int32_t *to_actions = actions.mutable_data(), *to_way = way.mutable_data();
  {
    py::gil_scoped_release release;
    std::fill_n(to_actions, rows * longest, kNone);
    std::fill_n(to_way, rows * (longest + 1) * 3, kNone);
    write_routes(map, poses, routes, to_distance, to_play, to_actions, to_way);
  }
  return py::make_tuple(distance, play, actions, way);
}

// ---- particles

/// Beyond this the planner's arithmetic could overflow.
constexpr double kFarthest = 1e6;

void expect_vectors(const Numbers& array, const char* name, int axes, py::ssize_t rows) {
  expect_pairs(array, name, axes, rows);
  expect_numbers(array, name, kFarthest);
}

py::tuple steer(const Numbers& position, const Numbers& velocity, const Numbers& target,
                const std::optional<Numbers>& target_velocity, const std::optional<Numbers>& obstacles,
                double acceleration, double max_speed, double reach, double clearance, double border) {
  expect_vectors(position, "position", 2, -1);
  const py::ssize_t rows = position.shape(0);
  expect_vectors(velocity, "velocity", 2, rows);
  expect_vectors(target, "target", 2, rows);
  if (target_velocity) expect_vectors(*target_velocity, "target_velocity", 2, rows);
  if (obstacles) expect_vectors(*obstacles, "obstacles", 3, rows);
  const py::ssize_t count = obstacles ? obstacles->shape(1) : 0;
  expect(count <= kMaxObstacles, "obstacles", "at most " + std::to_string(kMaxObstacles) + " per row", count);
  const Steering steering(SteeringConfig{acceleration, max_speed, reach, clearance, border});
  py::array_t<std::int32_t> action(rows), steps(rows);
  std::int32_t *to_action = action.mutable_data(), *to_steps = steps.mutable_data();
  const double* moving = target_velocity ? target_velocity->data() : nullptr;
  const double* centres = obstacles ? obstacles->data() : nullptr;
  const double still[2] = {0, 0};
  {
    py::gil_scoped_release release;
    for (py::ssize_t b = 0; b < rows; ++b) {
      const SteeringPlan plan = steering.steer(
          position.data() + 2 * b, velocity.data() + 2 * b, target.data() + 2 * b, moving ? moving + 2 * b : still,
          reinterpret_cast<const double (*)[2]>(centres ? centres + 2 * count * b : nullptr), static_cast<int>(count));
      to_action[b] = plan.action;
      to_steps[b] = plan.steps;
    }
  }
  return py::make_tuple(action, steps);
}

py::array brake(const Numbers& velocity, double acceleration) {
  expect_vectors(velocity, "velocity", 2, -1);
  SteeringConfig config;
  config.acceleration = acceleration;
  const Steering steering(config);
  py::array_t<std::int32_t> action(velocity.shape(0));
  std::int32_t* to_action = action.mutable_data();
  {
    py::gil_scoped_release release;
    for (py::ssize_t b = 0; b < velocity.shape(0); ++b) to_action[b] = steering.brake(velocity.data() + 2 * b);
  }
  return action;
}

/// World name -> its planner's constants, as steer's keyword arguments; the arena is that of up to four followers.
py::dict steering_constants() {
  py::dict worlds;
  for (const Task& task : tasks()) {
    const auto* own = task.preset.find_own<ParticleConfig>();
    if (own == nullptr) continue;
    const SteeringConfig config = steering_of(task.preset.num_followers, *own);
    worlds[task.name.c_str()] = py::dict(py::arg("acceleration") = config.acceleration,
                                         py::arg("max_speed") = config.max_speed, py::arg("reach") = config.reach,
                                         py::arg("clearance") = config.clearance, py::arg("border") = config.border);
  }
  return worlds;
}

}  // namespace

void bind_planners(py::module_& m) {
  m.def("grid_path", &grid_path, py::arg("map"), py::arg("position"), py::arg("heading"), py::arg("targets"),
        py::arg("blocked"), "The fields of paymaster.planners.GridPath, in their order.");
  m.def("steer", &steer, py::arg("position"), py::arg("velocity"), py::arg("target"), py::arg("target_velocity"),
        py::arg("obstacles"), py::kw_only(), py::arg("acceleration"), py::arg("max_speed"), py::arg("reach"),
        py::arg("clearance"), py::arg("border"), "The fields of paymaster.planners.SteeringPlan, in their order.");
  m.def("brake", &brake, py::arg("velocity"), py::kw_only(), py::arg("acceleration"),
        "The action that leaves the least speed: velocity [B, 2] -> action [B].");
  m.def("steering_constants", &steering_constants, "World -> its planner's constants, as steer takes them.");
}

}  // namespace paymaster::bindings
