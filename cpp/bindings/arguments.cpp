#include "arguments.hpp"

#include <pybind11/stl.h>

#include <tuple>

#include "game/check.hpp"
#include "results.hpp"

namespace paymaster::bindings {
namespace {

void expect_integers(const py::array& actions) {
  const char kind = actions.dtype().kind();
  if (kind != 'i' && kind != 'u')
    throw py::type_error("actions: expected an integer dtype, got " + py::cast<std::string>(py::str(actions.dtype())));
}

/// Copies to int32; whether everything fitted.
bool narrow(const std::int64_t* in, std::vector<std::int32_t>& out) {
  std::uint64_t beyond = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::int32_t>(in[i]);
    beyond |= (static_cast<std::uint64_t>(in[i]) + (std::uint64_t{1} << 31)) >> 32;
  }
  return beyond == 0;
}

/// What does not even fit the core's integers, in the words of the core, which checks the rest.
template <class T>
[[noreturn]] void reject_offer(const GameConfig& config, std::size_t i, T came) {
  const int highest = i % 2 == 0 ? config.num_goals - (config.abstain ? 0 : 1) : config.num_bonuses - 1;
  const std::size_t n = static_cast<std::size_t>(config.num_followers);
  reject(std::string("actions: ") + (i % 2 == 0 ? "goal" : "bonus") + place_of(i / 2 / n, i / 2 % n),
         "a value in [0, " + std::to_string(highest) + "]", came);
}

}  // namespace

std::string shape_text(const py::array& array) { return py::cast<std::string>(py::str(array.attr("shape"))); }

void read_offers(const Batch& batch, const py::array& actions, std::vector<std::int32_t>& out) {
  const py::ssize_t games = batch.batch_config().num_envs, n = batch.config().num_followers;
  expect_integers(actions);
  if (actions.ndim() != 3 || actions.shape(0) != games || actions.shape(1) != n || actions.shape(2) != 2)
    reject("actions", "shape (" + std::to_string(games) + ", " + std::to_string(n) + ", 2), (goal, bonus) a follower",
           shape_text(actions));
  // A uint64 beyond int64 would wrap; it is refused before.
  if (actions.dtype().kind() == 'u' && actions.dtype().itemsize() == 8) {
    const auto large = py::array_t<std::uint64_t, py::array::c_style | py::array::forcecast>(actions);
    for (std::size_t i = 0; i < out.size(); ++i)
      if (large.data()[i] > INT32_MAX) reject_offer(batch.config(), i, large.data()[i]);
  }
  const auto whole = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>(actions);
  if (narrow(whole.data(), out)) return;
  for (std::size_t i = 0; i < out.size(); ++i)
    if (whole.data()[i] != out[i]) reject_offer(batch.config(), i, whole.data()[i]);
}

void read_follower_actions(const Batch& batch, const py::array& actions, std::vector<std::int32_t>& out) {
  const py::ssize_t games = batch.batch_config().num_envs, n = batch.config().num_followers;
  expect_integers(actions);
  if (actions.ndim() != 2 || actions.shape(0) != games || actions.shape(1) != n)
    reject("actions", "shape (" + std::to_string(games) + ", " + std::to_string(n) + ")", shape_text(actions));
  const auto whole = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>(actions);
  out.resize(static_cast<std::size_t>(games * n));
  if (narrow(whole.data(), out)) return;
  const auto followers = static_cast<std::size_t>(n);
  for (std::size_t i = 0; i < out.size(); ++i)
    if (whole.data()[i] != out[i])
      reject("actions" + place_of(i / followers, i % followers),
             "a value in [0, " + std::to_string(batch.choices() - 1) + "]", whole.data()[i]);
}

std::size_t field_index(const std::vector<FieldInfo>& fields, const std::string& name) {
  std::string known;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name) return i;
    known += (known.empty() ? "" : ", ") + fields[i].name;
  }
  reject("state", "fields among " + known, quoted(name));
}

py::array as_field(const FieldInfo& field, py::ssize_t games, const py::object& value) {
  py::array array = py::array::ensure(value);
  if (!array) throw py::type_error(field.name + ": expected an array, got something NumPy cannot read");
  const char kind = array.dtype().kind(), wanted = py::dtype(field.dtype).kind();
  const bool fits = kind == wanted || (wanted == 'i' && kind == 'u') || (wanted == 'f' && (kind == 'i' || kind == 'u'));
  if (!fits)
    throw py::type_error(field.name + ": expected dtype " + field.dtype + ", got " +
                         py::cast<std::string>(py::str(array.dtype())));
  const auto shape = array_shape(field, games);
  bool same = array.ndim() == static_cast<py::ssize_t>(shape.size());
  for (std::size_t i = 0; same && i < shape.size(); ++i) same = array.shape(static_cast<py::ssize_t>(i)) == shape[i];
  expect(same, field.name, "shape " + py::cast<std::string>(py::str(py::tuple(py::cast(shape)))), shape_text(array));
  const py::module_ numpy = py::module_::import("numpy");
  const py::object converted = numpy.attr("ascontiguousarray")(array, py::arg("dtype") = field.dtype);
  if (wanted == 'i')  // a value that does not survive the conversion was out of range
    expect(py::cast<bool>(numpy.attr("array_equal")(converted, array)), field.name, "values that fit " + field.dtype,
           "larger ones");
  return converted;
}

Population population_from(const py::object& population, int goals) {
  const auto [skill, preference, reservation, learns, utility, cost, weight] = py::cast<
      std::tuple<Array<bool>, Array<std::int32_t>, Array<float>, Array<bool>, py::object, py::object, py::object>>(
      population);
  std::vector<Traits> traits(static_cast<std::size_t>(skill.shape(0)));
  for (py::ssize_t i = 0; i < skill.shape(0); ++i) {
    Traits& t = traits[static_cast<std::size_t>(i)];
    for (int g = 0; g < goals; ++g) t.skill |= skill.at(i, g) ? set_of(g) : 0;
    t.preference = static_cast<std::uint8_t>(preference.at(i));
    t.reservation = reservation.at(i);
    t.learns = learns.at(i);
  }
  const auto numbers = [](const py::object& values) {
    if (values.is_none()) return std::vector<float>{};
    const auto array = py::cast<Array<float>>(values);
    return std::vector<float>(array.data(), array.data() + array.size());
  };
  return Population(std::move(traits), goals, {numbers(utility), numbers(cost), numbers(weight)});
}

py::tuple arrays_of(const Population& p, py::ssize_t goals) {
  const py::ssize_t size = p.size();
  Array<bool> skill({size, goals});
  Array<std::int32_t> preference(size);
  Array<float> reservation(size);
  Array<bool> learns(size);
  for (py::ssize_t i = 0; i < size; ++i) {
    const Traits& t = p[static_cast<int>(i)];
    for (int g = 0; g < static_cast<int>(goals); ++g) skill.mutable_at(i, g) = holds(t.skill, g);
    preference.mutable_at(i) = t.preference;
    reservation.mutable_at(i) = t.reservation;
    learns.mutable_at(i) = t.learns;
  }
  const auto table = [](const std::vector<float>& values, std::vector<py::ssize_t> shape) -> py::object {
    if (values.empty()) return py::none();
    return Array<float>(std::move(shape), values.data());
  };
  const Tastes& tastes = p.tastes();
  return py::make_tuple(skill, preference, reservation, learns, table(tastes.utility, {size, goals}),
                        table(tastes.cost, {size, goals}), table(tastes.weight, {size}));
}

}  // namespace paymaster::bindings
