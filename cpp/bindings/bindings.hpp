// What each bind_*.cpp offers to module.cpp.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <utility>
#include <vector>

namespace paymaster {
class Batch;
}

namespace paymaster::bindings {

namespace py = pybind11;

/// A read-only view of `values`; `owner` keeps their memory alive.
template <class T>
py::array view(const T* values, std::vector<py::ssize_t> shape, const py::object& owner) {
  py::array_t<T> array(std::move(shape), values, owner);
  array.attr("setflags")(py::arg("write") = false);
  return array;
}

/// The core of a paymaster._core.Batch.
Batch& core_of(const py::object& batch);

void bind_tasks(py::module_& m);
void bind_interface(py::module_& m);
void bind_call_guard(py::module_& m);
void bind_batch(py::module_& m);
void bind_events(py::module_& m);
void bind_features(py::module_& m);
void bind_assignment(py::module_& m);
void bind_plane_acting(py::module_& m);
void bind_planes(py::module_& m);
void bind_planners(py::module_& m);
void bind_particles(py::module_& m);
void bind_recurrence(py::module_& m);
void bind_acting(py::module_& m);
void bind_follower_update(py::module_& m);
void bind_leader_update(py::module_& m);
void bind_world_games(py::module_& m);
void bind_worlds(py::module_& m);

}  // namespace paymaster::bindings
