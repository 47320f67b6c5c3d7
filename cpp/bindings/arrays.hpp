// Checks of NumPy arrays of numbers.
#pragma once

#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "bindings.hpp"
#include "game/check.hpp"

namespace paymaster::bindings {

template <class T>
using Array = py::array_t<T, py::array::c_style | py::array::forcecast>;

inline std::string shape_of(const py::array& array) { return py::str(array.attr("shape")).cast<std::string>(); }

/// The numbers of an array of just this type and shape, in C order.
template <class T>
const T* whole_array(const py::array& array, const std::string& name, const std::vector<py::ssize_t>& shape) {
  const bool kind = py::isinstance<py::array_t<T, py::array::c_style>>(array) &&
                    (array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) != 0;
  const bool fits =
      static_cast<std::size_t>(array.ndim()) == shape.size() && std::equal(shape.begin(), shape.end(), array.shape());
  if (!kind || !fits) {  // the texts are made only then
    const py::str dtype(py::dtype::of<T>()), expected(py::tuple(py::cast(shape))), came(array.dtype());
    reject(name, "a C-ordered array of " + std::string(dtype) + " and shape " + std::string(expected),
           std::string(came) + " " + shape_of(array));
  }
  return static_cast<const T*>(array.data());
}

/// Finite numbers, none farther from 0 than `limit`.
template <class T>
void expect_numbers(const Array<T>& array, const char* name, double limit = std::numeric_limits<double>::infinity()) {
  std::ostringstream expected;
  if (std::isinf(limit)) expected << "finite numbers";
  else expected << "numbers in [" << -limit << ", " << limit << "]";
  const T* value = array.data();
  for (py::ssize_t i = 0; i < array.size(); ++i) {
    const double number = static_cast<double>(value[i]);
    if (!std::isfinite(number) || std::abs(number) > limit) reject(name, expected.str(), number);
  }
}

/// A shape of [rows, 2] or [rows, bodies, 2], as `axes` says; `rows` or `bodies` < 0 accepts any.
inline void expect_pairs(const py::array& array, const char* name, int axes, py::ssize_t rows,
                         py::ssize_t bodies = -1) {
  bool fits = array.ndim() == axes && array.shape(axes - 1) == 2 && (rows < 0 || array.shape(0) == rows);
  if (fits && bodies >= 0) fits = array.shape(1) == bodies;
  std::string expected = axes == 2 ? "shape [B, 2]" : "shape [B, bodies, 2]";
  if (rows >= 0) expected += " with B = " + std::to_string(rows);
  if (bodies >= 0) expected += " and bodies = " + std::to_string(bodies);
  expect(fits, name, expected, shape_of(array));
}

}  // namespace paymaster::bindings
