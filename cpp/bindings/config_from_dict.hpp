// Parameters between Python dicts and GameConfig.
#pragma once

#include <string>

#include "bindings.hpp"
#include "game/config.hpp"

namespace paymaster::bindings {

/// A str as UTF-8. TypeError or ValueError names the argument.
std::string text_from(const std::string& argument, const py::handle& value);

/// The task's preset with `parameters` in place of its defaults. TypeError or ValueError names the parameter at fault.
GameConfig config_from_dict(const std::string& task, const py::dict& parameters);
/// Puts `parameters` in place of the configuration's. The same errors.
void take_parameters(GameConfig& config, py::dict parameters);
py::dict config_to_dict(const GameConfig& config);

}  // namespace paymaster::bindings
