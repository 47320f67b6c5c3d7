// Presets and options. Options travel as Python dicts; names, defaults and ranges are those of GameConfig::visit.
#include <pybind11/stl.h>

#include <cmath>

#include "bindings.hpp"
#include "config_from_dict.hpp"
#include "paymaster/check.hpp"
#include "paymaster/grid_map.hpp"
#include "paymaster/registry.hpp"

namespace paymaster::bindings {
namespace {

[[noreturn]] void wrong_type(const std::string& argument, const char* expected, const py::handle& came) {
  throw py::type_error(argument + ": expected " + expected + ", got " +
                       py::cast<std::string>(py::str(py::type::of(came).attr("__name__"))));
}

bool is_bool(const py::handle& value) {
  return py::isinstance<py::bool_>(value) ||
         py::cast<std::string>(py::str(py::type::of(value))).find("bool") != std::string::npos;
}

/// Takes one option out of the dict, if it is there, with the type its member has.
struct TakeOption {
  py::dict& options;
  template <class T, class... Rest>
  void operator()(const char* name, T& member, const char*, Rest&&...) {
    if (!options.contains(name)) return;
    const py::object value = options.attr("pop")(name);
    if (value.is_none()) return;  // the preset's own
    if constexpr (std::is_same_v<T, bool>) {
      if (!is_bool(value)) wrong_type(name, "a bool", value);
      member = py::cast<bool>(py::bool_(value));
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (!py::isinstance<py::str>(value)) wrong_type(name, "a str", value);
      member = py::cast<std::string>(value);
    } else if constexpr (std::is_floating_point_v<T>) {
      if (is_bool(value) || py::isinstance<py::str>(value)) wrong_type(name, "a number", value);
      const double number = PyFloat_AsDouble(value.ptr());
      if (PyErr_Occurred() != nullptr) {
        const bool too_large = PyErr_ExceptionMatches(PyExc_OverflowError);
        PyErr_Clear();
        if (too_large) reject(name, "a number in the range of a double", "a larger one");
        wrong_type(name, "a number", value);
      }
      member = static_cast<T>(number);
    } else {
      if (is_bool(value) || !PyIndex_Check(value.ptr())) wrong_type(name, "an int", value);
      const py::int_ whole = py::reinterpret_steal<py::int_>(PyNumber_Index(value.ptr()));
      int overflow = 0;
      const long long number = PyLong_AsLongLongAndOverflow(whole.ptr(), &overflow);
      if (overflow != 0 || number < std::numeric_limits<T>::min() || number > std::numeric_limits<T>::max())
        reject(name, "a value in range", py::cast<std::string>(py::str(whole)));
      member = static_cast<T>(number);
    }
  }
};

struct ToDict {
  py::dict out;
  template <class T, class... Rest>
  void operator()(const char* name, const T& member, const char*, Rest&&...) {
    out[name] = member;
  }
};

}  // namespace

GameConfig config_from_dict(const std::string& task, py::dict options) {
  GameConfig config = find_task(task).preset;
  options = py::dict(options.attr("copy")());
  GameConfig::visit(config, TakeOption{options});
  if (!options.empty()) {
    std::string known;
    GameConfig::visit(config,
                      [&](const char* name, auto&&...) { known += (known.empty() ? "" : ", ") + std::string(name); });
    const auto first = py::cast<std::string>(py::str(options.begin()->first));
    reject("options", "names among " + known, "'" + first + "'");
  }
  return config;
}

py::dict config_to_dict(const GameConfig& config) {
  ToDict visitor;
  GameConfig::visit(config, visitor);
  return visitor.out;
}

void bind_tasks(py::module_& m) {
  m.def(
      "tasks",
      [] {
        py::list out;
        for (const Task& task : tasks()) {
          py::dict entry;
          entry["name"] = task.name;
          entry["meaning"] = task.meaning;
          entry["parameters"] = config_to_dict(task.preset);
          out.append(entry);
        }
        return out;
      },
      "Presets: name, meaning, parameters.");
  m.def(
      "option_meanings",
      [] {
        py::dict out;
        for (const Task& task : tasks()) {
          GameConfig::visit(
              task.preset, [&](const char* name, const auto&, const char* meaning, auto&&...) { out[name] = meaning; });
        }
        return out;
      },
      "Option name -> meaning.");
}

}  // namespace paymaster::bindings
