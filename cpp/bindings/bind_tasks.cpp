// Tasks and their parameters. Values travel as Python dicts; names, defaults, ranges and meanings are those of
// GameConfig::visit.
#include <pybind11/stl.h>

#include <cmath>

#include "arguments.hpp"
#include "bindings.hpp"
#include "config_from_dict.hpp"
#include "game/check.hpp"
#include "game/history.hpp"
#include "tasks/tasks.hpp"
#include "worlds/grid/map.hpp"
#include "worlds/grid/recipes.hpp"

namespace paymaster::bindings {
namespace {

[[noreturn]] void wrong_type(const std::string& argument, const char* expected, const py::handle& came) {
  throw py::type_error(argument + ": expected " + expected + ", got " +
                       py::cast<std::string>(py::str(py::type::of(came).attr("__name__"))));
}

bool is_bool(const py::handle& value) {
  return py::isinstance<py::bool_>(value) || py::isinstance(value, py::module_::import("numpy").attr("bool_"));
}

/// Digits of an int, unless there are thousands.
std::string digits_of(const py::handle& whole) {
  const auto bits = py::cast<long long>(whole.attr("bit_length")());
  return bits <= 512 ? py::cast<std::string>(py::str(whole)) : "one of " + std::to_string(bits) + " bits";
}

double number_from(const char* name, const py::handle& value, double low, double high) {
  if (is_bool(value) || py::isinstance<py::str>(value)) wrong_type(name, "a number", value);
  const double number = PyFloat_AsDouble(value.ptr());
  if (PyErr_Occurred() == nullptr) return number;
  const bool too_large = PyErr_ExceptionMatches(PyExc_OverflowError), none = PyErr_ExceptionMatches(PyExc_TypeError);
  if (!too_large && !none) throw py::error_already_set();  // from a __float__ of the user's
  PyErr_Clear();
  if (none) wrong_type(name, "a number", value);
  reject(name, "a value in [" + number_text(low) + ", " + number_text(high) + "]", "a larger one");
}

/// A number alone, or the numbers of a sequence.
std::vector<double> numbers_from(const char* name, const py::handle& value, double low, double high) {
  const bool text = py::isinstance<py::str>(value) || py::isinstance<py::bytes>(value);
  if (text || is_bool(value)) wrong_type(name, "a number, or a sequence of numbers", value);
  const py::object list = py::isinstance(value, py::module_::import("numpy").attr("ndarray"))
                              ? py::object(value.attr("tolist")())
                              : py::reinterpret_borrow<py::object>(value);
  if (!py::isinstance<py::list>(list) && !py::isinstance<py::tuple>(list)) {
    const bool number = PyFloat_Check(list.ptr()) || PyIndex_Check(list.ptr()) || py::hasattr(list, "__float__");
    if (!number) wrong_type(name, "a number, or a sequence of numbers", list);
    return {number_from(name, list, low, high)};
  }
  std::vector<double> out;
  for (const py::handle& entry : list)
    out.push_back(number_from((std::string(name) + "[" + std::to_string(out.size()) + "]").c_str(), entry, low, high));
  return out;
}

template <class T>
T whole_from(const char* name, const py::handle& value, T low, T high) {
  if (is_bool(value) || !PyIndex_Check(value.ptr())) wrong_type(name, "an int", value);
  const auto whole = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
  if (!whole) throw py::error_already_set();  // from an __index__ of the user's
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(whole.ptr(), &overflow);
  if (overflow != 0 || number < std::numeric_limits<T>::min() || number > std::numeric_limits<T>::max())
    reject(name, "a value in [" + number_text(low) + ", " + number_text(high) + "]", digits_of(whole));
  return static_cast<T>(number);
}

/// Takes one parameter out of the dict, if it is there, with the type its member has.
struct TakeParameter {
  py::dict& parameters;
  template <class T, class... Range>
  void operator()(const char* name, T& member, const char*, const Range&... range) {
    if (!parameters.contains(name)) return;
    const py::object value = parameters.attr("pop")(name);
    if (value.is_none()) return;  // the preset's own
    if constexpr (std::is_same_v<T, bool>) {
      if (!is_bool(value)) wrong_type(name, "a bool", value);
      member = py::cast<bool>(py::bool_(value));
    } else if constexpr (std::is_same_v<T, std::string>) {
      member = text_from(name, value);
    } else if constexpr (std::is_same_v<T, std::vector<double>>) {
      member = numbers_from(name, value, static_cast<double>(range)...);
    } else if constexpr (std::is_floating_point_v<T>) {
      member = static_cast<T>(number_from(name, value, static_cast<double>(range)...));
    } else {
      member = whole_from<T>(name, value, static_cast<T>(range)...);
    }
  }
};

struct ToDict {
  py::dict out;
  template <class T, class... Rest>
  void operator()(const char* name, const T& member, const char*, Rest&&...) {
    out[name] = member;
  }
  /// A number alone as such.
  template <class... Rest>
  void operator()(const char* name, const std::vector<double>& member, const char*, Rest&&...) {
    if (member.size() == 1) out[name] = member[0];
    else out[name] = member;
  }
};

/// Lists parameters as paymaster.validation.parameters reads them: name, default, meaning, low, high, choices, and whether
/// they may be lists of numbers.
struct Describe {
  py::list out;
  template <class Low, class High>
  void operator()(const char* name, const std::vector<double>& member, const char* meaning, Low low, High high) {
    ToDict value;
    value(name, member, meaning);
    out.append(py::make_tuple(name, value.out[name], meaning, low, high, py::tuple(), true));
  }
  template <class T, class Low, class High>
  void operator()(const char* name, const T& member, const char* meaning, Low low, High high) {
    add(name, member, meaning, low, high, py::tuple());
  }
  void operator()(const char* name, const std::string& member, const char* meaning, const Choices& choices) {
    py::list words;
    for (const char* word : choices.words) {
      if (word != nullptr) words.append(word);
    }
    add(name, member, meaning, py::none(), py::none(), py::tuple(words));
  }
  void operator()(const char* name, const std::string& member, const char* meaning) {
    add(name, member, meaning, py::none(), py::none(), py::tuple());
  }

 private:
  template <class T, class Low, class High>
  void add(const char* name, const T& member, const char* meaning, Low low, High high, const py::tuple& choices) {
    out.append(py::make_tuple(name, member, meaning, low, high, choices, false));
  }
};

py::dict entry_of(const Task& task) {
  py::dict entry;
  entry["name"] = task.name;
  entry["meaning"] = task.meaning;
  entry["parameters"] = config_to_dict(task.preset);
  return entry;
}

/// Item -> a pair of ints.
py::dict by_item(const std::array<std::array<int, 2>, kItems>& pairs) {
  py::dict out;
  for (int i = 0; i < kItems; ++i) {
    const auto& [first, second] = pairs[static_cast<std::size_t>(i)];
    out[py::int_(kRawTypes + i)] = py::make_tuple(first, second);
  }
  return out;
}

/// Adds a task that is another one with other parameters.
void add_preset(const std::string& name, const std::string& meaning, const std::string& task,
                const py::dict& parameters) {
  GameConfig config = config_from_dict(task, parameters);
  config.validate();
  add_task({name, meaning, std::move(config)});
}

void check_parameters(const std::string& task, const py::dict& parameters, const py::object& population) {
  const GameConfig config = config_from_dict(task, parameters);
  config.validate();
  if (!population.is_none()) check_population(config, population_from(population, config.num_goals));
}

}  // namespace

std::string text_from(const std::string& argument, const py::handle& value) {
  if (!py::isinstance<py::str>(value)) wrong_type(argument, "a str", value);
  Py_ssize_t size = 0;
  const char* text = PyUnicode_AsUTF8AndSize(value.ptr(), &size);
  if (text != nullptr) return {text, static_cast<std::size_t>(size)};
  if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) throw py::error_already_set();
  PyErr_Clear();
  reject(argument, "text that UTF-8 can encode", "a lone surrogate");
}

GameConfig config_from_dict(const std::string& task, const py::dict& parameters) {
  GameConfig config = find_task(task).preset;
  take_parameters(config, parameters);
  return config;
}

void take_parameters(GameConfig& config, py::dict parameters) {
  parameters = py::dict(parameters.attr("copy")());
  GameConfig::visit(config, TakeParameter{parameters});
  if (!parameters.empty()) {
    std::string known;
    GameConfig::visit(config,
                      [&](const char* name, auto&&...) { known += (known.empty() ? "" : ", ") + std::string(name); });
    reject("parameters", "names among " + known, quoted(text_from("parameters: a name", parameters.begin()->first)));
  }
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
        for (const Task& task : tasks()) out.append(entry_of(task));
        return out;
      },
      "Presets: name, meaning, parameters.");
  m.def(
      "has_task",
      [](const py::object& name) {
        if (!py::isinstance<py::str>(name)) return false;
        Py_ssize_t size = 0;
        const char* text = PyUnicode_AsUTF8AndSize(name.ptr(), &size);
        if (text == nullptr) PyErr_Clear();  // no name that UTF-8 can encode
        return text != nullptr && has_task({text, static_cast<std::size_t>(size)});
      },
      py::arg("name"), "Whether an object is the name of a task.");
  m.def(
      "task", [](const std::string& name) { return entry_of(find_task(name)); }, py::arg("name"),
      "One of tasks(). ValueError for an unknown name.");
  m.def(
      "world", [](const std::string& task) { return std::string(find_task(task).preset.world->name()); },
      py::arg("task"), "The name of the world that plays a task. ValueError for an unknown task.");
  m.def(
      "parameters",
      [](const std::string& task) {
        Describe visitor;
        GameConfig::visit(find_task(task).preset, visitor);
        return visitor.out;
      },
      py::arg("task"),
      "A task's parameters: name, default, meaning, low, high, choices. ValueError for an unknown task.");
  m.def("check_parameters", &check_parameters, py::arg("task"), py::arg("parameters"),
        py::arg("population") = py::none(),
        "Raises what making a batch of them would: also for parameters, and a population, that do not fit each other.");
  m.def("add_preset", &add_preset, py::arg("name"), py::arg("meaning"), py::arg("task"), py::arg("parameters"));
  m.attr("MAX_FOLLOWERS") = kMaxFollowers;
  m.attr("MAX_GOALS") = kMaxGoals;
  m.attr("MAX_RESERVATION") = kMaxReservation;
  m.attr("HISTORY_RATE") = HistoryTable::kRate;
  m.attr("DEFAULT_MAP") = GridMap::kDefault;
  m.attr("CRAFTING_RECIPES") = by_item(kRecipes);
  m.attr("CRAFTING_STATIONS") = by_item(kStations);
}

}  // namespace paymaster::bindings
