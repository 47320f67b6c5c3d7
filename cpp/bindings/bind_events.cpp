// Event sets of action logs. Arguments have been checked by paymaster.events; the loop runs without the GIL, which is
// safe because it reads arrays this call holds and writes memory that no one else has yet.
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <utility>

#include "bindings.hpp"
#include "game/event_set.hpp"

namespace paymaster::bindings {
namespace {

/// Calls `f` with the elements of an array of integers, as a pointer of their type.
template <class F>
auto with_integers(const py::array& array, F&& f) {
  const void* data = array.data();
  const bool is_signed = array.dtype().kind() == 'i';
  switch (array.itemsize()) {
    case 1: return is_signed ? f(static_cast<const std::int8_t*>(data)) : f(static_cast<const std::uint8_t*>(data));
    case 2: return is_signed ? f(static_cast<const std::int16_t*>(data)) : f(static_cast<const std::uint16_t*>(data));
    case 4: return is_signed ? f(static_cast<const std::int32_t*>(data)) : f(static_cast<const std::uint32_t*>(data));
    default: return is_signed ? f(static_cast<const std::int64_t*>(data)) : f(static_cast<const std::uint64_t*>(data));
  }
}

std::unique_ptr<EventSet> extract(const py::array& actions, const std::int32_t* lengths,
                                  std::optional<std::int32_t> num_goals) {
  const auto axis = [&](int i) { return static_cast<std::size_t>(actions.shape(i)); };
  const LogShape shape{axis(0), axis(1), axis(2)};
  return with_integers(actions, [&](const auto* log) {
    py::gil_scoped_release release;
    return std::make_unique<EventSet>(log, lengths, shape, num_goals);
  });
}

}  // namespace

void bind_events(py::module_& m) {
  m.def(
      "extract_events",
      [](const py::array& actions, const py::array_t<std::int32_t, py::array::c_style>& lengths,
         std::optional<std::int32_t> num_goals) {
        std::unique_ptr<EventSet> made = extract(actions, lengths.data(), num_goals);
        const EventSet& set = *made;
        const py::capsule owner(made.release(), [](void* p) { delete static_cast<EventSet*>(p); });
        const auto t = actions.shape(0), b = actions.shape(1), n = actions.shape(2);
        const auto e = static_cast<py::ssize_t>(set.events());
        return py::make_tuple(view(set.is_new(), {t, b, n}, owner), view(set.index(), {t, b, n}, owner),
                              view(set.count(), {b, n}, owner), view(set.count_per_game(), {b}, owner),
                              view(set.game(), {e}, owner), view(set.follower(), {e}, owner),
                              view(set.start(), {e}, owner), view(set.option_length(), {e}, owner));
      },
      py::arg("actions"), py::arg("lengths"), py::arg("num_goals"),
      "actions integers [T, B, N, 2], lengths int32[B] -> the fields of paymaster.events.EventSet, in their order.");
}

}  // namespace paymaster::bindings
