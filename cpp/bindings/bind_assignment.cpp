// The assignment of followers to goal types over NumPy arrays, apart from any game.
#include <cmath>

#include "bindings.hpp"
#include "game/assignment.hpp"
#include "game/check.hpp"
#include "game/types.hpp"

namespace paymaster::bindings {

void bind_assignment(py::module_& m) {
  m.def(
      "assign",
      [](py::array_t<double, py::array::c_style | py::array::forcecast> value,
         py::array_t<std::int32_t, py::array::c_style | py::array::forcecast> capacity) {
        expect(value.ndim() == 3, "value", "shape [B, N, G]", std::to_string(value.ndim()) + " axes");
        const auto games = value.shape(0), followers = value.shape(1), goals = value.shape(2);
        expect(capacity.ndim() == 2 && capacity.shape(0) == games && capacity.shape(1) == goals, "capacity",
               "shape [B, G]", "another");
        expect(followers <= 64 && goals <= 64, "value", "at most 64 followers and 64 goals", "more");
        const double* values = value.data();
        for (py::ssize_t i = 0; i < value.size(); ++i)
          expect(std::isfinite(values[i]), "value", "finite numbers", values[i]);
        py::array_t<std::int32_t> chosen({games, followers});
        const double* v = value.data();
        const std::int32_t* c = capacity.data();
        std::int32_t* out = chosen.mutable_data();
        {
          py::gil_scoped_release release;
          for (py::ssize_t b = 0; b < games; ++b)
            assign(v + b * followers * goals, c + b * goals, static_cast<int>(followers), static_cast<int>(goals),
                   out + b * followers);
        }
        return chosen;
      },
      py::arg("value"), py::arg("capacity"),
      "Best assignment per game: value [B, N, G], capacity [B, G] -> goal [B, N], -1 for none.");
}

}  // namespace paymaster::bindings
