// The table of history statistics as NumPy arrays.
#pragma once

#include <algorithm>
#include <vector>

#include "bindings.hpp"
#include "game/history.hpp"
#include "results.hpp"

namespace paymaster::bindings {

/// Views of the table's memory; `owner` keeps it alive.
inline py::dict history_views(const HistoryTable& t, const py::object& owner) {
  const py::ssize_t p = t.population, g = t.goals, k = t.bonuses, ages = t.horizon;
  py::dict out;
  out["acceptance"] = view(t.acceptance.data(), {p, g, k}, owner);
  out["acceptance_count"] = view(t.acceptance_count.data(), {p, g, k}, owner);
  out["completion"] = view(t.completion.data(), {p, g, ages}, owner);
  out["outcome"] = view(t.outcome.data(), {p, g}, owner);
  out["outcome_count"] = view(t.outcome_count.data(), {p, g}, owner);
  return out;
}

template <class T>
void overwrite(std::vector<T>& values, const py::dict& arrays, const char* name) {
  if (!arrays.contains(name)) return;
  const auto array = py::cast<Array<T>>(arrays[name]);
  std::copy_n(array.data(), values.size(), values.begin());
}

/// Arrays have been checked (names, dtypes, shapes, ranges) by paymaster.envs.history.
inline void set_history(HistoryTable& t, const py::dict& arrays) {
  overwrite(t.acceptance, arrays, "acceptance");
  overwrite(t.acceptance_count, arrays, "acceptance_count");
  overwrite(t.completion, arrays, "completion");
  overwrite(t.outcome, arrays, "outcome");
  overwrite(t.outcome_count, arrays, "outcome_count");
}

}  // namespace paymaster::bindings
