// Worlds that are written in Python: a class becomes a task, and its instances are the rules of batches.
#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "bindings.hpp"
#include "config_from_dict.hpp"
#include "game/check.hpp"
#include "tasks/tasks.hpp"
#include "worlds/arrays/games.hpp"

namespace paymaster::bindings {
namespace {

/// Parameters that a Python class declares.
class PythonParameters final : public WorldParameters {
 public:
  struct Parameter {
    std::string name, meaning;
    std::variant<bool, std::int64_t, double, std::string> value;
    double low, high;
  };
  explicit PythonParameters(std::vector<Parameter> parameters) : parameters_(std::move(parameters)) {}

  std::unique_ptr<WorldParameters> clone() const override { return std::make_unique<PythonParameters>(*this); }
  void visit(ParameterVisitor& visitor) override {
    for (Parameter& p : parameters_) {
      const char *name = p.name.c_str(), *meaning = p.meaning.c_str();
      if (auto* flag = std::get_if<bool>(&p.value)) visitor(name, *flag, meaning, 0, 1);
      else if (auto* whole = std::get_if<std::int64_t>(&p.value))
        visitor(name, *whole, meaning, static_cast<std::int64_t>(p.low), static_cast<std::int64_t>(p.high));
      else if (auto* number = std::get_if<double>(&p.value)) visitor(name, *number, meaning, p.low, p.high);
      else visitor(name, std::get<std::string>(p.value), meaning);
    }
  }
  /// What does not fit together is for the class to refuse, when it is made.
  void validate(const GameConfig&) const override {}

 private:
  std::vector<Parameter> parameters_;
};

/// An instance of the class, behind paymaster.worlds.caller.Caller, which checks types and shapes.
class PythonRules final : public ArrayRules {
 public:
  PythonRules(py::object caller, int actions) : caller_(std::move(caller)), actions_(actions) {
    for (const char* name : {"reset", "end", "look", "plan", "move", "restored"})
      methods_.push_back(caller_.attr(name));
  }
  PythonRules(const PythonRules&) = delete;
  PythonRules& operator=(const PythonRules&) = delete;
  ~PythonRules() override {
    const py::gil_scoped_acquire acquire;
    methods_.clear();
    caller_ = py::object();
  }

  int actions() const override { return actions_; }
  void reset() override { call(0); }
  void end() override { call(1); }
  void look() override { call(2); }
  void plan() override { call(3); }
  void move() override { call(4); }
  void restored() override { call(5); }

 private:
  void call(std::size_t method) const {
    const py::gil_scoped_acquire acquire;
    methods_[method]();
  }

  py::object caller_;
  std::vector<py::object> methods_;
  int actions_;
};

/// A class as a world. It is never destroyed, nor is the class: games may be made at any time.
class PythonKind final : public WorldKind {
 public:
  PythonKind(std::string name, int max_followers, int max_goals, int actions, int goal_objects,
             std::vector<PythonParameters::Parameter> parameters, py::object make, py::object features)
      : name_(std::move(name)),
        max_followers_(max_followers),
        max_goals_(max_goals),
        actions_(actions),
        goal_objects_(goal_objects),
        parameters_(std::move(parameters)),
        make_(std::move(make)),
        features_(std::move(features)) {}

  const char* name() const override { return name_.c_str(); }
  int max_followers() const override { return max_followers_; }
  int max_goals() const override { return max_goals_; }
  int actions() const override { return actions_; }
  std::unique_ptr<WorldParameters> parameters() const override {
    return std::make_unique<PythonParameters>(parameters_);
  }
  int goal_objects(const GameConfig&) const override { return goal_objects_; }
  std::vector<BodyField> body(const GameConfig&) const override { return {}; }
  std::vector<FeatureField> features(const GameConfig& game) const override {
    const py::gil_scoped_acquire acquire;
    std::vector<FeatureField> all;
    for (const py::handle& entry : features_(config_to_dict(game))) {
      const auto [name, real, of_pair, shape, scale] =
          py::cast<std::tuple<std::string, bool, bool, std::vector<int>, float>>(entry);
      all.push_back({name, real, of_pair, {shape[0], shape.size() > 1 ? shape[1] : 0}, scale});
    }
    return all;
  }
  std::unique_ptr<Batch> games(const GameConfig& game, const BatchConfig& batch, Population people) const override {
    expect_room_for_arrays(game, batch, people.size());
    auto games = std::make_shared<ArrayGames>(batch.num_envs, game.num_followers, game.num_goals);
    if (game.observe_routes) games->route.resize(games->distance.size());
    std::unique_ptr<PythonRules> rules;
    {
      const py::gil_scoped_acquire acquire;
      rules = std::make_unique<PythonRules>(make_(games, config_to_dict(game)), actions_);
    }
    return array_games(game, batch, std::move(people), std::move(games), std::move(rules));
  }

 private:
  std::string name_;
  int max_followers_, max_goals_, actions_, goal_objects_;
  std::vector<PythonParameters::Parameter> parameters_;
  py::object make_, features_;
};

void add_world(const std::string& task, const std::string& meaning, const std::string& name, int max_followers,
               int max_goals, int actions, int goal_objects, const py::list& parameters, const py::dict& preset,
               const py::object& make, const py::object& features) {
  std::vector<PythonParameters::Parameter> declared;
  for (const py::handle& entry : parameters) {
    const auto [parameter, about, value, low, high] =
        py::cast<std::tuple<std::string, std::string, py::object, double, double>>(entry);
    PythonParameters::Parameter& p = declared.emplace_back();
    p.name = parameter, p.meaning = about, p.low = low, p.high = high;
    if (py::isinstance<py::bool_>(value)) p.value = py::cast<bool>(value);
    else if (py::isinstance<py::int_>(value)) p.value = py::cast<std::int64_t>(value);
    else if (py::isinstance<py::float_>(value)) p.value = py::cast<double>(value);
    else p.value = py::cast<std::string>(value);
  }
  // Never freed: games of it may be there to the end.
  const auto* const kind =
      new PythonKind(name, max_followers, max_goals, actions, goal_objects, std::move(declared), make, features);
  GameConfig config;
  config.set_world(*kind);
  std::set<std::string> names;
  GameConfig::visit(config, [&](const char* parameter, auto&&...) {
    expect(names.insert(parameter).second, "parameters", "other names than those that every game has",
           quoted(parameter));
  });
  take_parameters(config, preset);
  config.validate();
  add_task({task, meaning, config});
}

}  // namespace

void bind_worlds(py::module_& m) {
  py::register_local_exception_translator([](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const WorldError& broken) {
      py::set_error(py::module_::import("paymaster.worlds.errors").attr("WorldError"), broken.what());
    }
  });
  bind_world_games(m);
  m.def("remove_task", &remove_task, py::arg("name"));
  m.def("add_world", &add_world, py::arg("task"), py::arg("meaning"), py::arg("name"), py::arg("max_followers"),
        py::arg("max_goals"), py::arg("num_actions"), py::arg("most_available"), py::arg("parameters"),
        py::arg("preset"), py::arg("make"), py::arg("features"));
}

}  // namespace paymaster::bindings
