// An observation, a dict of arrays: its fields as columns, and arrays to write to, with types and shapes checked.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "features/candidates.hpp"

namespace paymaster::bindings {

using ShapeList = std::vector<py::ssize_t>;

inline std::string text_of(const ShapeList& shape) { return py::str(py::tuple(py::cast(shape))).cast<std::string>(); }

/// An array of just this type; no conversion.
template <class T>
py::array expect_array(const py::handle& value, const std::string& name) {
  if (py::isinstance<py::array_t<T>>(value)) return py::reinterpret_borrow<py::array>(value);
  const bool array = py::isinstance<py::array>(value);
  const py::str came = array ? py::str(value.attr("dtype")) : py::str(py::type::of(value).attr("__name__"));
  throw py::type_error(name + ": expected an array of dtype " + py::str(py::dtype::of<T>()).cast<std::string>() +
                       ", got " + (array ? "dtype " : "an object of type ") + came.cast<std::string>());
}

/// The shape, or what is wrong with it; the texts are made only then.
inline void expect_shape(const py::array& array, const std::string& name, const ShapeList& shape) {
  if (!std::equal(shape.begin(), shape.end(), array.shape(), array.shape() + array.ndim()))
    reject(name, "shape " + text_of(shape), shape_of(array));
}

/// Every game's values are aligned and lie one behind the other.
template <class T>
bool rows_in_order(const py::array& array) {
  py::ssize_t step = sizeof(T);
  for (py::ssize_t axis = array.ndim() - 1; axis > 0; --axis) {
    if (array.shape(axis) > 1 && array.strides(axis) != step) return false;
    step *= array.shape(axis);
  }
  const bool whole_steps = array.shape(0) <= 1 || array.strides(0) % static_cast<py::ssize_t>(sizeof(T)) == 0;
  return whole_steps && reinterpret_cast<std::uintptr_t>(array.data()) % alignof(T) == 0;
}

/// Takes fields out of an observation and holds on to them.
class Fields {
 public:
  explicit Fields(const py::object& observation) : observation_(observation) {}

  template <class T>
  py::array get(const char* name) const {
    PyObject* value = PyObject_GetItem(observation_.ptr(), py::str(name).ptr());
    if (value != nullptr) return expect_array<T>(py::reinterpret_steal<py::object>(value), quoted(name));
    if (!PyErr_ExceptionMatches(PyExc_KeyError)) throw py::error_already_set();
    PyErr_Clear();
    reject("observation", std::string("a field '") + name + "'", "none");
  }

  /// Shape [B, N, G] of the distances; the other fields follow it.
  ShapeList distance_shape() const {
    const py::array distance = get<std::int16_t>("distance");
    if (distance.ndim() != 3) reject(quoted("distance"), "shape (B, N, G)", shape_of(distance));
    return {distance.shape(0), distance.shape(1), distance.shape(2)};
  }

  template <class T>
  Column<T> take(const char* name, const ShapeList& shape) {
    py::array array = get<T>(name);
    expect_shape(array, quoted(name), shape);
    if (!rows_in_order<T>(array)) array = array.attr("copy")();
    held_.push_back(array);
    return {static_cast<const T*>(array.data()), array.strides(0) / static_cast<py::ssize_t>(sizeof(T))};
  }

 private:
  static std::string quoted(const char* name) { return std::string("observation['") + name + "']"; }

  py::object observation_;
  std::vector<py::array> held_;
};

/// The memory of an array to write to.
template <class T>
T* expect_output(const py::object& value, const char* name, const ShapeList& shape) {
  py::array array = expect_array<T>(value, name);
  expect_shape(array, name, shape);
  if (!array.writeable()) reject(name, "an array to write to", "a read-only one");
  if ((array.flags() & py::array::c_style) == 0 || !rows_in_order<T>(array))
    reject(name, "values one behind the other (C order)", "gaps or another order");
  return static_cast<T*>(array.mutable_data());
}

}  // namespace paymaster::bindings
