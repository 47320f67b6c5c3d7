// Arrays that a batch's calls take and population() returns: checked here, and converted to what the core reads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "batch/batch.hpp"
#include "bindings.hpp"
#include "game/population.hpp"

namespace paymaster::bindings {

std::string shape_text(const py::array& array);

/// Reads the leader's actions [B, N, 2] into `out`, of B N 2 numbers. What does not fit int32 is refused in the words of
/// the core, which checks the rest.
void read_offers(const Batch& batch, const py::array& actions, std::vector<std::int32_t>& out);

/// Reads the followers' actions [B, N] into `out`, likewise.
void read_follower_actions(const Batch& batch, const py::array& actions, std::vector<std::int32_t>& out);

/// Where a field stands among the state's.
std::size_t field_index(const std::vector<FieldInfo>& fields, const std::string& name);

/// The value as a contiguous array of the field's type; kinds must fit (no float for an int) and so must the range.
py::array as_field(const FieldInfo& field, py::ssize_t games, const py::object& value);

/// A population of (skill, preference, reservation, learns, utility, cost, weight), whose shapes Python has checked; each of
/// the last three may be None.
Population population_from(const py::object& population, int goals);

/// (skill [P, G], preference [P], reservation [P], learns [P], utility [P, G], cost [P, G], weight [P]); of the last three
/// None where it has none.
py::tuple arrays_of(const Population& population, py::ssize_t goals);

}  // namespace paymaster::bindings
