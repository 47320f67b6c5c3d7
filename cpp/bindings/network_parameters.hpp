// Parameters of networks that the core reads where torch has them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "networks/acting.hpp"

namespace paymaster::bindings {

/// Parameters by name, as torch's named_parameters() has them.
class Parameters {
 public:
  explicit Parameters(const py::dict& arrays) : arrays_(arrays) {}

  bool has(const std::string& layer) const { return arrays_.contains(layer + ".weight"); }

  /// Of a layer's weights, if they are a matrix.
  std::size_t rows(const std::string& layer) const {
    const auto weight = arrays_.attr("get")(layer + ".weight");
    const bool matrix = py::isinstance<py::array>(weight) && py::cast<py::array>(weight).ndim() == 2;
    return matrix ? static_cast<std::size_t>(py::cast<py::array>(weight).shape(0)) : 0;
  }

  const float* take(const std::string& name, const std::vector<py::ssize_t>& shape) {
    if (!arrays_.contains(name)) reject("parameters", "one named '" + name + "'", "none");
    const py::object array = arrays_[py::str(name)];
    if (!py::isinstance<py::array>(array))
      throw py::type_error(name + ": expected an array, got " + py::str(py::type::of(array)).cast<std::string>());
    held_.push_back(py::reinterpret_borrow<py::array>(array));
    return whole_array<float>(held_.back(), name, shape);
  }

  Layer layer(const std::string& name, std::size_t outputs, std::size_t inputs, bool bias = true) {
    const auto rows = static_cast<py::ssize_t>(outputs), columns = static_cast<py::ssize_t>(inputs);
    const float* weight = take(name + ".weight", {rows, columns});
    return {weight, bias ? take(name + ".bias", {rows}) : nullptr, inputs, outputs};
  }
  Layer optional(const std::string& name, std::size_t outputs, std::size_t inputs, bool bias = true) {
    return has(name) ? layer(name, outputs, inputs, bias) : Layer{};
  }

  /// r, z and n of a GRU, of its inputs ("ih") or its state ("hh").
  Layer gates(const std::string& name, const std::string& of, std::size_t hidden) {
    const auto h = static_cast<py::ssize_t>(hidden);
    return {take(name + ".weight_" + of + "_l0", {3 * h, h}), take(name + ".bias_" + of + "_l0", {3 * h}), hidden,
            3 * hidden};
  }

  /// Of a population that shares them: paymaster.networks.follower_policy.IdentityLinear.
  Layer shared(const std::string& name, std::size_t outputs, std::size_t inputs) {
    const auto out = static_cast<py::ssize_t>(outputs), in = static_cast<py::ssize_t>(inputs);
    return {take(name + ".weight", {1, in, out}), take(name + ".bias", {1, out}), inputs, outputs};
  }

  /// Whether all that were taken lie in one array of numbers.
  bool lie_in(const py::array& all) const {
    const auto *first = static_cast<const float*>(all.data()), *last = first + all.size();
    return std::all_of(held_.begin(), held_.end(), [&](const py::array& array) {
      const auto* numbers = static_cast<const float*>(array.data());
      return numbers >= first && numbers + array.size() <= last;
    });
  }

 private:
  py::dict arrays_;
  std::vector<py::array> held_;
};

inline std::size_t checked_size(std::int64_t size, const char* name) {
  expect_range<std::int64_t>(size, 1, 1 << 20, name);
  return static_cast<std::size_t>(size);
}

/// Numbers int64 [...], all in low..high.
inline const std::int64_t* indices(const py::array& array, const char* name, const std::vector<py::ssize_t>& shape,
                                   std::int64_t low, std::int64_t high) {
  const std::int64_t* index = whole_array<std::int64_t>(array, name, shape);
  for (py::ssize_t i = 0; i < array.size(); ++i) expect_range(index[i], low, high, name);
  return index;
}

/// B games of N followers, of an array [B, N, ...].
inline std::vector<py::ssize_t> games_of(const py::array& array, const char* name) {
  if (array.ndim() != 3) reject(name, "shape (B, N, F)", shape_of(array));
  return {array.shape(0), array.shape(1)};
}

inline std::vector<py::ssize_t> with(std::vector<py::ssize_t> shape, std::initializer_list<std::size_t> more) {
  for (const std::size_t size : more) shape.push_back(static_cast<py::ssize_t>(size));
  return shape;
}

/// Sizes of a leader's network, and its weights.
struct LeaderNetwork {
  ActingSizes sizes;
  LeaderWeights weights;
};

/// Args: what named_parameters() has; the goal types there are, and how many of them it sees of a follower (0: all). With
/// `learns`, the baseline's, too.
LeaderNetwork leader_network(Parameters& parameters, std::int64_t num_goals, std::int64_t near_goals,
                             std::int64_t num_bonuses, std::int64_t num_actions, std::int64_t follower_features,
                             std::int64_t goal_features, std::int64_t hidden, bool learns);

/// Sizes of a network that followers share, and its weights.
struct FollowerNetwork {
  ActingSizes sizes;
  FollowerWeights weights;
};

/// Args: what named_parameters() has. With `learns`, the value's, too.
FollowerNetwork follower_network(Parameters& parameters, std::int64_t population, std::int64_t num_goals,
                                 std::int64_t num_actions, std::int64_t own_features, std::int64_t goal_features,
                                 std::int64_t hidden, bool learns);

}  // namespace paymaster::bindings
