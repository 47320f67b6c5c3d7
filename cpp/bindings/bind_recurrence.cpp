// A GRU over packed sequences. paymaster.networks.recurrence hands over arrays it has made; what could make the loop leave
// them is checked here all the same. It runs without the GIL, which is safe because it reads arrays that this call holds
// and writes arrays that nobody else has yet.
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "networks/recurrence.hpp"

namespace paymaster::bindings {
namespace {

/// Arrays of one call, which share the numbers' type and the sizes R (rows), B (sequences) and H.
template <class Real>
class Shapes {
 public:
  Shapes(const std::vector<std::int64_t>& sizes, const py::array& states) : sizes_(sizes) {
    if (states.ndim() != 2 || states.shape(1) == 0) reject("states", "shape [R, H]", shape_of(states));
    hidden_ = states.shape(1);
    for (std::size_t t = 0; t < sizes.size(); ++t) {
      if (sizes[t] <= 0 || (t > 0 && sizes[t] > sizes[t - 1]))
        reject("batch_sizes", "positive numbers, none above the one before", sizes[t]);
      rows_ += sizes[t];
    }
    if (states.shape(0) != rows_)
      reject("states", "one row for each of batch_sizes' " + std::to_string(rows_), states.shape(0));
  }

  PackedSteps steps() const { return {sizes_.data(), sizes_.size(), static_cast<std::size_t>(hidden_)}; }

  const Real* of_rows(const py::array& array, const char* name, int widths) const {
    return whole_array<Real>(array, name, {rows_, widths * hidden_});
  }
  const Real* of_sequences(const py::array& array, const char* name) const {
    return whole_array<Real>(array, name, {sizes_.empty() ? 0 : sizes_.front(), hidden_});
  }
  const Real* weight(const py::array& array) const {
    return whole_array<Real>(array, "weight", {3 * hidden_, hidden_});
  }
  const Real* bias(const py::array& array) const { return whole_array<Real>(array, "bias", {3 * hidden_}); }

  static Real* out(py::array& array, const Real* data) {
    expect(array.writeable(), "results", "arrays that may be written to", "one that may not");
    return const_cast<Real*>(data);
  }

 private:
  const std::vector<std::int64_t>& sizes_;
  py::ssize_t hidden_ = 0, rows_ = 0;
};

/// Calls `f` with a number of the arrays' type.
template <class F>
void with_type_of(const py::array& array, F&& f) {
  if (array.dtype().is(py::dtype::of<double>())) f(double{});
  else f(float{});
}

void recur_forward(const std::vector<std::int64_t>& sizes, const py::array& x, const py::array& start,
                   const py::array& weight, const py::array& bias, py::array gates, py::array proposed,
                   py::array states) {
  with_type_of(states, [&]<class Real>(Real) {
    const Shapes<Real> shapes(sizes, states);
    const RecurrenceForward<Real> arrays{
        shapes.of_rows(x, "x", 3),
        shapes.of_sequences(start, "start"),
        shapes.weight(weight),
        shapes.bias(bias),
        shapes.out(gates, shapes.of_rows(gates, "gates", 3)),
        shapes.out(proposed, shapes.of_rows(proposed, "proposed", 1)),
        shapes.out(states, shapes.of_rows(states, "states", 1)),
    };
    py::gil_scoped_release release;
    recur(arrays, shapes.steps());
  });
}

void recur_backward(const std::vector<std::int64_t>& sizes, const py::array& grad, const py::array& start,
                    const py::array& weight, const py::array& gates, const py::array& proposed, const py::array& states,
                    py::array from_x, py::array from_h, py::array before, py::array from_start) {
  with_type_of(states, [&]<class Real>(Real) {
    const Shapes<Real> shapes(sizes, states);
    const RecurrenceBackward<Real> arrays{
        shapes.of_rows(grad, "grad", 1),
        shapes.of_sequences(start, "start"),
        shapes.weight(weight),
        shapes.of_rows(gates, "gates", 3),
        shapes.of_rows(proposed, "proposed", 1),
        shapes.of_rows(states, "states", 1),
        shapes.out(from_x, shapes.of_rows(from_x, "from_x", 3)),
        shapes.out(from_h, shapes.of_rows(from_h, "from_h", 3)),
        shapes.out(before, shapes.of_rows(before, "before", 1)),
        shapes.out(from_start, shapes.of_sequences(from_start, "from_start")),
    };
    py::gil_scoped_release release;
    recur_back(arrays, shapes.steps());
  });
}

}  // namespace

void bind_recurrence(py::module_& m) {
  m.def("recur_forward", &recur_forward, py::arg("batch_sizes"), py::arg("x"), py::arg("start"), py::arg("weight"),
        py::arg("bias"), py::arg("gates"), py::arg("proposed"), py::arg("states"),
        "A GRU over packed sequences (paymaster/recurrence.hpp) into gates, proposed and states.");
  m.def("recur_backward", &recur_backward, py::arg("batch_sizes"), py::arg("grad"), py::arg("start"), py::arg("weight"),
        py::arg("gates"), py::arg("proposed"), py::arg("states"), py::arg("from_x"), py::arg("from_h"),
        py::arg("before"), py::arg("from_start"), "Its gradients into from_x, from_h, before and from_start.");
}

}  // namespace paymaster::bindings
