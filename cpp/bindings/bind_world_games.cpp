// What the core and a world that is written in Python tell each other about B games: views of the core's arrays, draws, and
// what the world's methods have returned, checked and copied.
#include <algorithm>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "game/check.hpp"
#include "worlds/arrays/array_games.hpp"

namespace paymaster::bindings {
namespace {

py::dict views_of(const py::object& self) {
  ArrayGames& g = py::cast<ArrayGames&>(self);
  const auto b = static_cast<py::ssize_t>(g.games), n = static_cast<py::ssize_t>(g.followers),
             goals = static_cast<py::ssize_t>(g.goals);
  py::dict all;
  all["playing"] = view(g.playing.get(), {b}, self);
  all["starts"] = view(g.starts.get(), {b}, self);
  all["chosen"] = view(g.chosen.data(), {b, n}, self);
  all["committed"] = view(g.committed.data(), {b, n}, self);
  all["offered"] = view(g.offered.data(), {b, n}, self);
  all["action"] = view(g.action.data(), {b, n}, self);
  all["skill"] = view(g.skill.get(), {b, n, goals}, self);
  all["step"] = view(g.step.data(), {b}, self);
  all["distance"] = view(g.distance.data(), {b, n, goals}, self);
  return all;
}

std::string shape_said(const std::vector<std::size_t>& shape) {
  std::string text = "[";
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (axis > 0) text += ", ";
    text += std::to_string(shape[axis]);
  }
  text += "]";
  return text;
}

/// Bits that are 0 in all numbers that To has, once these are counted from its lowest (from 0 where From has no sign).
template <class From, class To>
constexpr auto bits_too_high(From number) {
  using Bits = std::make_unsigned_t<From>;
  constexpr bool kBelow = std::is_signed_v<From> && std::is_signed_v<To>;
  constexpr Bits kLowest = kBelow ? static_cast<Bits>(std::numeric_limits<To>::lowest()) : Bits{0};
  constexpr Bits kMost = static_cast<Bits>(static_cast<Bits>(std::numeric_limits<To>::max()) - kLowest);
  return static_cast<Bits>(static_cast<Bits>(static_cast<Bits>(number) - kLowest) & static_cast<Bits>(~kMost));
}

/// Copies `count` numbers; returns the place of the first that does not fit, or `count`.
template <class From, class To>
std::size_t copy_numbers(const py::array& array, To* to, std::size_t count) {
  constexpr bool kMayNotFit = std::is_integral_v<To> && !std::is_same_v<To, bool> && sizeof(From) >= sizeof(To);
  const py::array_t<From, py::array::c_style> ordered(array);
  const From* const from = ordered.data();
  if constexpr (!kMayNotFit) {
    for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<To>(from[i]);
    return count;
  } else {
    std::make_unsigned_t<From> too_high = 0;  // of all: a loop without branches, for several numbers at once
    for (std::size_t i = 0; i < count; ++i) {
      to[i] = static_cast<To>(from[i]);
      too_high |= bits_too_high<From, To>(from[i]);
    }
    if (too_high == 0) return count;
    std::size_t i = 0;
    while (std::in_range<To>(from[i])) ++i;
    return i;
  }
}

/// The numbers that a method of a world's has returned, in the core's array of them.
template <class To>
void put(const std::string& method, const py::object& came, To* to, const std::vector<std::size_t>& shape) {
  constexpr bool kFlags = std::is_same_v<To, bool>, kWhole = std::is_integral_v<To> && !kFlags;
  const auto refuse = [&](const std::string& what) {
    throw WorldError(method + ": expected " +
                     (kFlags   ? "bool "
                      : kWhole ? "integers "
                               : "numbers ") +
                     shape_said(shape) + ", got " + what);
  };
  if (!py::isinstance<py::array>(came)) refuse(came.is_none() ? "None" : py::str(py::type::of(came).attr("__name__")));
  const auto array = py::reinterpret_borrow<py::array>(came);
  const std::vector<std::size_t> its_shape(array.shape(), array.shape() + array.ndim());
  const char kind = array.dtype().kind();
  const bool number = kind == 'i' || kind == 'u' || kind == 'b' || (kind == 'f' && !kWhole);
  if (its_shape != shape || (kFlags ? kind != 'b' : !number))
    refuse(py::cast<std::string>(py::str(array.dtype())) + " " + shape_said(its_shape));
  std::size_t count = 1;
  for (const std::size_t length : shape) count *= length;
  if constexpr (kFlags) {
    copy_numbers<bool>(array, to, count);
  } else {
    std::size_t at = count;
    const py::ssize_t size = array.itemsize();
    // Other types are rarer: NumPy makes them wide.
    if (kind == 'i' && size == 2) at = copy_numbers<std::int16_t>(array, to, count);
    else if (kind == 'i' && size == 4) at = copy_numbers<std::int32_t>(array, to, count);
    else if (kind == 'u' && size == 1) at = copy_numbers<std::uint8_t>(array, to, count);
    else if (kind == 'u' && size == 8) at = copy_numbers<std::uint64_t>(array, to, count);
    else if (kind != 'f') at = copy_numbers<std::int64_t>(py::array_t<std::int64_t>(array), to, count);
    else if constexpr (!kWhole)
      at = size == 4 ? copy_numbers<float>(array, to, count)
                     : copy_numbers<double>(py::array_t<double>(array), to, count);
    if (at == count) return;
    const std::size_t in_a_game = count / shape[0];
    const py::object value = came.attr("flat")[py::int_(at)];
    throw WorldError(method + " (game " + std::to_string(at / in_a_game) + "): expected a value in [" +
                     number_text(std::numeric_limits<To>::lowest()) + ", " +
                     number_text(std::numeric_limits<To>::max()) + "], got " + py::cast<std::string>(py::str(value)));
  }
}

/// What a move pays; None for nothing.
void put_rewards(ArrayGames& g, const std::string& method, const py::object& follower, const py::object& leader) {
  if (follower.is_none()) std::fill(g.follower_reward.begin(), g.follower_reward.end(), 0.0f);
  else put(method + " (follower_reward)", follower, g.follower_reward.data(), {g.games, g.followers});
  if (leader.is_none()) std::fill(g.leader_reward.begin(), g.leader_reward.end(), 0.0);
  else put(method + " (leader_reward)", leader, g.leader_reward.data(), {g.games});
}

/// The first actions towards a goal type.
void put_route(ArrayGames& g, const std::string& method, std::size_t goal, const py::object& came) {
  std::vector<std::uint8_t> first(g.games * g.followers);
  put(method, came, first.data(), {g.games, g.followers});
  for (std::size_t i = 0; i < first.size(); ++i) g.route[i * g.goals + goal] = first[i];
}

/// Makes an array of the caller's, which it keeps alive, a field of the world.
void add_array(ArrayGames& g, const std::string& name, py::array array, const std::string& meaning, double low,
               double high, bool shown) {
  const auto* const dtype =
      std::find(std::begin(kArrayDtypes), std::end(kArrayDtypes), py::cast<std::string>(py::str(array.dtype())));
  expect(dtype != std::end(kArrayDtypes), quoted(name), "dtype bool, int16, int32, int64, float32 or float64",
         py::cast<std::string>(py::str(array.dtype())));
  Shape shape;
  if (array.ndim() > 1) shape.rows = static_cast<int>(array.shape(1));
  if (array.ndim() > 2) shape.columns = static_cast<int>(array.shape(2));
  g.own.push_back({.field = {name, *dtype, static_cast<std::size_t>(array.itemsize()), shape, meaning, low, high},
                   .type = static_cast<int>(dtype - std::begin(kArrayDtypes)),
                   .shown = shown,
                   .data = array.mutable_data()});
}

/// [B, count] draws of the games that `start` or are playing; 0 for the others.
template <class T, class Draw>
py::array_t<T> drawn(ArrayGames& g, bool start, std::size_t count, Draw&& draw) {
  py::array_t<T> out(std::vector<std::size_t>{g.games, count});
  T* to = out.mutable_data();
  if (g.drawing != (start ? ArrayGames::Drawing::reset : ArrayGames::Drawing::move))
    throw WorldError(std::string("draws: expected to be used in the ") + (start ? "reset" : "move") +
                     " that they were given to, got a call after it");
  std::vector<Draws>& all = start ? g.draws : g.draws_of_step();
  for (std::size_t i = 0; i < g.games; ++i) {
    const bool draws = start ? g.starts[i] : g.playing[i];
    for (std::size_t j = 0; j < count; ++j) *to++ = draws ? draw(all[i]) : T{0};
  }
  return out;
}

}  // namespace

void bind_world_games(py::module_& m) {
  py::class_<ArrayGames, std::shared_ptr<ArrayGames>> games(m, "WorldGames");
  games.def_property_readonly("views", &views_of)
      .def_property_readonly("shows_routes", [](const ArrayGames& g) { return !g.route.empty(); })
      .def("add_array", &add_array, py::arg("name"), py::arg("array"), py::arg("meaning"), py::arg("low"),
           py::arg("high"), py::arg("shown"))
      .def(
          "below",
          [](ArrayGames& g, bool start, std::uint32_t n, std::size_t count) {
            return drawn<std::int64_t>(g, start, count, [n](Draws& draws) { return draws.below(n); });
          },
          py::arg("start"), py::arg("n"), py::arg("count"))
      .def(
          "unit",
          [](ArrayGames& g, bool start, std::size_t count) {
            return drawn<double>(g, start, count, [](Draws& draws) { return draws.unit(); });
          },
          py::arg("start"), py::arg("count"))
      .def("put_rewards", &put_rewards, py::arg("method"), py::arg("follower"), py::arg("leader"))
      .def("put_route", &put_route, py::arg("method"), py::arg("goal"), py::arg("came"));
  const auto put_as = [&games](const char* name, auto&& put_in) {
    games.def(name, put_in, py::arg("method"), py::arg("came"));
  };
  using Text = const std::string&;
  using Came = const py::object&;
  put_as("put_distance", [](ArrayGames& g, Text method, Came came) {
    put(method, came, g.distance.data(), {g.games, g.followers, g.goals});
  });
  put_as("put_available",
         [](ArrayGames& g, Text method, Came came) { put(method, came, g.available.data(), {g.games, g.goals}); });
  put_as("put_exhausted",
         [](ArrayGames& g, Text method, Came came) { put(method, came, g.exhausted.get(), {g.games}); });
  put_as("put_action",
         [](ArrayGames& g, Text method, Came came) { put(method, came, g.action.data(), {g.games, g.followers}); });
  put_as("put_reached", [](ArrayGames& g, Text method, Came came) {
    put(method, came, g.reached.get(), {g.games, g.followers, g.goals});
  });
}

}  // namespace paymaster::bindings
