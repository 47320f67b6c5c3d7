// B games at once. Types and shapes are checked here with the GIL held; the loop runs without it, which is safe because
// it touches only the core's state and arrays that this call owns. Each call is inside the core's guard from the first
// change to the last result, since what it keeps here belongs to one call as well.
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>

#include "batch/batch.hpp"
#include "bindings.hpp"
#include "config_from_dict.hpp"
#include "game/check.hpp"
#include "results.hpp"
#include "tasks/tasks.hpp"

namespace paymaster::bindings {
namespace {

std::string shape_text(const py::array& array) { return py::cast<std::string>(py::str(array.attr("shape"))); }

const CallName kAct("act"), kCopy("copy"), kPopulation("population"), kStatistics("statistics");

/// A batch as Python holds it.
class PyBatch {
 public:
  PyBatch(const std::string& task, const py::dict& parameters, const BatchConfig& batch, const py::object& population,
          bool copy)
      : task_(task), copy_(copy) {
    const GameConfig config = config_from_dict(task, parameters);
    std::optional<std::vector<Traits>> traits;
    if (!population.is_none()) traits = traits_from(config, population);
    {
      py::gil_scoped_release release;
      batch_ = make_batch(config, batch, traits ? &*traits : nullptr);
      taken_.resize(static_cast<std::size_t>(batch.num_envs) * static_cast<std::size_t>(config.num_followers) * 2);
      offers_.resize(taken_.size());
    }
    results_.emplace(*batch_);
    followers_.emplace(batch_->follower_fields(), batch.num_envs);
  }

  Batch& core() { return *batch_; }
  CallGuard& guard() { return *batch_->guard(); }

  py::tuple reset(const std::optional<std::vector<std::uint64_t>>& seeds, const std::optional<Array<bool>>& mask) {
    const CallGuard::Call call(guard(), calls::reset);
    const py::ssize_t games = batch_->batch_config().num_envs;
    if (seeds)
      expect(static_cast<py::ssize_t>(seeds->size()) == games, "seed", std::to_string(games) + " seeds", seeds->size());
    if (mask)
      expect(mask->ndim() == 1 && mask->size() == games, "reset_mask", "bool[" + std::to_string(games) + "]",
             shape_text(*mask));
    offered_ = false;
    ObservationArrays& out = results_->observation;
    out.prepare(copy_);
    const ObservationRows rows = out.pointers();
    const bool* chosen = mask ? mask->data() : nullptr;
    {
      py::gil_scoped_release release;
      batch_->reset(seeds ? seeds->data() : nullptr, chosen, rows);
    }
    return out.tuple();
  }

  py::tuple step(const py::array& actions) {
    const CallGuard::Call call(guard(), calls::step);
    expect(!two_phase(), "step", "rule-based followers; others take offer() and act()", batch_->config().followers);
    take_actions(actions);
    return advance(taken_.data(), nullptr);
  }

  /// The first phase; the offers are kept for the second.
  py::dict offer(const py::array& actions) {
    const CallGuard::Call call(guard(), calls::offer);
    expect(two_phase(), "offer", "followers 'meta' or 'primitive'; rule-based ones take step()",
           batch_->config().followers);
    take_actions(actions);
    followers_->prepare(copy_);
    {
      py::gil_scoped_release release;
      batch_->offer(taken_.data(), followers_->pointers());
    }
    offers_.swap(taken_);  // only now: offers that are refused leave those before them in force
    offered_ = true;
    return followers_->dict();
  }

  /// The second.
  py::tuple act(const py::array& actions) {
    const CallGuard::Call call(guard(), kAct);
    expect(offered_, "act", "offer() before it", "none since the last act(), reset(), restore() or set_state()");
    take_follower_actions(actions);
    py::tuple out = advance(offers_.data(), follower_actions_.data());
    offered_ = false;
    return out;
  }

  py::tuple observe() {
    const CallGuard::Call call(guard(), calls::observe);
    ObservationArrays& out = results_->observation;
    out.prepare(copy_);
    batch_->observe(out.pointers());
    return out.tuple();
  }

  /// What an equal one is made of again: the constructor's arguments, then snapshot and unanswered offers (or None).
  py::tuple pickled() {
    const CallGuard::Call call(guard(), kCopy);
    const BatchConfig& batch = batch_->batch_config();
    py::object offers = py::none();
    if (offered_) offers = Array<std::int32_t>(static_cast<py::ssize_t>(offers_.size()), offers_.data());
    return py::make_tuple(task_, config_to_dict(batch_->config()), batch.num_envs, batch.seed, batch.first_index,
                          batch.num_threads, static_cast<int>(batch.autoreset), population(), copy_,
                          py::bytes(batch_->snapshot()), offers);
  }

  static std::unique_ptr<PyBatch> unpickled(const py::tuple& from) {
    expect(from.size() == 11, "pickled batch", "11 parts", from.size());
    expect_range(py::cast<int>(from[6]), 0, static_cast<int>(Autoreset::disabled), "pickled batch: autoreset");
    const BatchConfig batch{py::cast<int>(from[2]), py::cast<std::uint64_t>(from[3]), py::cast<std::int64_t>(from[4]),
                            py::cast<int>(from[5]), static_cast<Autoreset>(py::cast<int>(from[6]))};
    auto made = std::make_unique<PyBatch>(py::cast<std::string>(from[0]), py::cast<py::dict>(from[1]), batch,
                                          py::object(from[7]), py::cast<bool>(from[8]));
    made->batch_->restore(py::cast<std::string>(from[9]));
    if (from[10].is_none()) return made;
    const auto offers = py::cast<Array<std::int32_t>>(from[10]);
    expect(offers.size() == static_cast<py::ssize_t>(made->offers_.size()), "pickled batch", "offers to all followers",
           offers.size());
    std::copy_n(offers.data(), made->offers_.size(), made->offers_.begin());
    made->offered_ = true;
    return made;
  }

  py::dict get_state(const std::vector<py::object>& names) {
    const CallGuard::Call call(guard(), calls::state);
    const auto& fields = batch_->state_fields();
    std::vector<void*> pointers(fields.size(), nullptr);
    py::dict out;
    for (const py::object& asked : names) {
      const std::string name = text_from("state: a name", asked);
      const std::size_t at = field_index(name);
      py::array array(py::dtype(fields[at].dtype), array_shape(fields[at], batch_->batch_config().num_envs));
      pointers[at] = array.mutable_data();
      out[name.c_str()] = array;
    }
    batch_->get_state(pointers.data());
    return out;
  }

  void set_state(const py::dict& arrays) {
    const CallGuard::Call call(guard(), calls::set_state);
    const auto& fields = batch_->state_fields();
    std::vector<const void*> pointers(fields.size(), nullptr);
    std::vector<py::array> held;
    for (const auto& [key, value] : arrays) {
      const std::string name = text_from("state: a name", key);
      const std::size_t at = field_index(name);
      held.push_back(as_field(fields[at], py::reinterpret_borrow<py::object>(value)));
      pointers[at] = held.back().data();
    }
    batch_->set_state(pointers.data());
    offered_ = false;
  }

  void replace_followers(const std::vector<int>& identities, std::int64_t seed) {
    const CallGuard::Call call(guard(), calls::replace_followers);
    batch_->replace_followers(identities, seed);
    offered_ = false;
  }

  void restore(const py::bytes& snapshot) {
    const CallGuard::Call call(guard(), calls::restore);
    batch_->restore(snapshot);
    offered_ = false;
  }

  py::tuple population() {
    const CallGuard::Call call(guard(), kPopulation);
    const Population& p = batch_->population();
    const py::ssize_t size = p.size(), goals = batch_->config().num_goals;
    Array<bool> skill({size, goals});
    Array<std::int32_t> preference(size);
    Array<float> reservation(size);
    Array<bool> learns(size);
    for (py::ssize_t i = 0; i < size; ++i) {
      const Traits& t = p[static_cast<int>(i)];
      for (py::ssize_t g = 0; g < goals; ++g) skill.mutable_at(i, g) = t.skill >> g & 1;
      preference.mutable_at(i) = t.preference;
      reservation.mutable_at(i) = t.reservation;
      learns.mutable_at(i) = t.learns;
    }
    return py::make_tuple(skill, preference, reservation, learns);
  }

 private:
  /// Followers act from outside, in a second phase of the step.
  bool two_phase() const { return batch_->config().follower_kind() != Followers::rule; }

  py::tuple advance(const std::int32_t* offers, const std::int32_t* follower_actions) {
    results_->prepare(copy_);
    const BatchResult pointers = results_->pointers();
    {
      py::gil_scoped_release release;
      batch_->step(offers, follower_actions, pointers);
    }
    return results_->tuple();
  }

  static std::vector<Traits> traits_from(const GameConfig& config, const py::object& population) {
    const auto [skill, preference, reservation, learns] =
        py::cast<std::tuple<Array<bool>, Array<std::int32_t>, Array<float>, Array<bool>>>(population);
    std::vector<Traits> traits(static_cast<std::size_t>(skill.shape(0)));
    for (py::ssize_t i = 0; i < skill.shape(0); ++i) {
      Traits& t = traits[static_cast<std::size_t>(i)];
      for (py::ssize_t g = 0; g < config.num_goals; ++g)
        t.skill = static_cast<std::uint8_t>(t.skill | (skill.at(i, g) ? 1u << g : 0u));
      t.preference = static_cast<std::uint8_t>(preference.at(i));
      t.reservation = reservation.at(i);
      t.learns = learns.at(i);
    }
    return traits;
  }

  std::size_t field_index(const std::string& name) const {
    const auto& fields = batch_->state_fields();
    std::string known;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].name == name) return i;
      known += (known.empty() ? "" : ", ") + fields[i].name;
    }
    reject("state", "fields among " + known, quoted(name));
  }

  /// The value as a contiguous array of the field's type; kinds must fit (no float for an int) and so must the range.
  py::array as_field(const FieldInfo& field, const py::object& value) const {
    py::array array = py::array::ensure(value);
    if (!array) throw py::type_error(field.name + ": expected an array, got something NumPy cannot read");
    const char kind = array.dtype().kind(), wanted = py::dtype(field.dtype).kind();
    const bool fits =
        kind == wanted || (wanted == 'i' && kind == 'u') || (wanted == 'f' && (kind == 'i' || kind == 'u'));
    if (!fits)
      throw py::type_error(field.name + ": expected dtype " + field.dtype + ", got " +
                           py::cast<std::string>(py::str(array.dtype())));
    const auto shape = array_shape(field, batch_->batch_config().num_envs);
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

  static void expect_integers(const py::array& actions) {
    const char kind = actions.dtype().kind();
    if (kind != 'i' && kind != 'u')
      throw py::type_error("actions: expected an integer dtype, got " +
                           py::cast<std::string>(py::str(actions.dtype())));
  }

  /// Copies to int32; whether everything fitted.
  static bool narrow(const std::int64_t* in, std::vector<std::int32_t>& out) {
    std::uint64_t beyond = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<std::int32_t>(in[i]);
      beyond |= (static_cast<std::uint64_t>(in[i]) + (std::uint64_t{1} << 31)) >> 32;
    }
    return beyond == 0;
  }

  /// Copies the actions to int32.
  void take_actions(const py::array& actions) {
    const py::ssize_t games = batch_->batch_config().num_envs, n = batch_->config().num_followers;
    expect_integers(actions);
    if (actions.ndim() != 3 || actions.shape(0) != games || actions.shape(1) != n || actions.shape(2) != 2)
      reject("actions", "shape (" + std::to_string(games) + ", " + std::to_string(n) + ", 2), (goal, bonus) a follower",
             shape_text(actions));
    // A uint64 beyond int64 would wrap; it is refused before.
    if (actions.dtype().kind() == 'u' && actions.dtype().itemsize() == 8) {
      const auto large = py::array_t<std::uint64_t, py::array::c_style | py::array::forcecast>(actions);
      for (std::size_t i = 0; i < taken_.size(); ++i)
        if (large.data()[i] > INT32_MAX) reject_action(i, large.data()[i]);
    }
    const auto whole = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>(actions);
    if (narrow(whole.data(), taken_)) return;
    for (std::size_t i = 0; i < taken_.size(); ++i)
      if (whole.data()[i] != taken_[i]) reject_action(i, whole.data()[i]);
  }

  /// Copies the followers' actions to int32; refuses what does not fit in the words of the core, which checks the rest.
  void take_follower_actions(const py::array& actions) {
    const py::ssize_t games = batch_->batch_config().num_envs, n = batch_->config().num_followers;
    expect_integers(actions);
    if (actions.ndim() != 2 || actions.shape(0) != games || actions.shape(1) != n)
      reject("actions", "shape (" + std::to_string(games) + ", " + std::to_string(n) + ")", shape_text(actions));
    const auto whole = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>(actions);
    follower_actions_.resize(static_cast<std::size_t>(games * n));
    if (narrow(whole.data(), follower_actions_)) return;
    for (std::size_t i = 0; i < follower_actions_.size(); ++i)
      if (whole.data()[i] != follower_actions_[i])
        reject("actions (game " + std::to_string(i / static_cast<std::size_t>(n)) + ", follower " +
                   std::to_string(i % static_cast<std::size_t>(n)) + ")",
               "a value in [0, " + std::to_string(batch_->choices() - 1) + "]", whole.data()[i]);
  }

  /// What does not even fit the core's integers, in the words of the core, which checks the rest.
  template <class T>
  [[noreturn]] void reject_action(std::size_t i, T came) const {
    const auto& config = batch_->config();
    const int highest = i % 2 == 0 ? config.num_goals - (config.abstain ? 0 : 1) : config.num_bonuses - 1;
    const std::size_t n = static_cast<std::size_t>(batch_->config().num_followers);
    reject(std::string("actions: ") + (i % 2 == 0 ? "goal" : "bonus") + " (game " + std::to_string(i / 2 / n) +
               ", follower " + std::to_string(i / 2 % n) + ")",
           "a value in [0, " + std::to_string(highest) + "]", came);
  }

  std::string task_;
  bool copy_;
  std::unique_ptr<Batch> batch_;
  std::optional<Results> results_;  // made in the constructor, with the GIL held
  std::optional<FieldArrays> followers_;
  std::vector<std::int32_t> taken_, offers_, follower_actions_;
  bool offered_ = false;  // offers_ holds offers that followers have not answered yet
};

/// paymaster._core.Field of one game: shape [...].
py::tuple shape_in_a_game(const FieldInfo& field) {
  std::vector<py::ssize_t> shape = array_shape(field, 0);
  shape.erase(shape.begin());
  return py::tuple(py::cast(shape));
}

/// Views of the table's memory; they keep the batch alive.
py::dict statistics_views(const py::object& self) {
  const HistoryTable& t = py::cast<PyBatch&>(self).core().statistics();
  const py::ssize_t p = t.population, g = t.goals, k = t.bonuses, ages = t.horizon;
  py::dict out;
  out["acceptance"] = view(t.acceptance.data(), {p, g, k}, self);
  out["acceptance_count"] = view(t.acceptance_count.data(), {p, g, k}, self);
  out["completion"] = view(t.completion.data(), {p, g, ages}, self);
  out["outcome"] = view(t.outcome.data(), {p, g}, self);
  out["outcome_count"] = view(t.outcome_count.data(), {p, g}, self);
  return out;
}

template <class T>
void overwrite(std::vector<T>& values, const py::dict& arrays, const char* name) {
  if (!arrays.contains(name)) return;
  const auto array = py::cast<Array<T>>(arrays[name]);
  std::copy_n(array.data(), values.size(), values.begin());
}

/// Arrays have been checked (names, dtypes, shapes, ranges) by paymaster.envs.history.
void set_statistics(PyBatch& self, const py::dict& arrays) {
  const CallGuard::Call call(self.guard(), kStatistics);
  HistoryTable& t = self.core().statistics();
  overwrite(t.acceptance, arrays, "acceptance");
  overwrite(t.acceptance_count, arrays, "acceptance_count");
  overwrite(t.completion, arrays, "completion");
  overwrite(t.outcome, arrays, "outcome");
  overwrite(t.outcome_count, arrays, "outcome_count");
}

Autoreset autoreset_from(const std::string& mode) {
  if (mode == "NextStep") return Autoreset::next_step;
  if (mode == "SameStep") return Autoreset::same_step;
  if (mode == "Disabled") return Autoreset::disabled;
  reject("autoreset_mode", "'NextStep', 'SameStep' or 'Disabled'", quoted(mode));
}

}  // namespace

Batch& core_of(const py::object& batch) { return py::cast<PyBatch&>(batch).core(); }

void bind_batch(py::module_& m) {
  py::register_local_exception_translator([](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const NotReset& none) {
      py::set_error(py::module_::import("gymnasium.error").attr("ResetNeeded"), none.what());
    }
  });
  py::class_<FieldInfo>(m, "Field")
      .def_readonly("name", &FieldInfo::name)
      .def_readonly("dtype", &FieldInfo::dtype)
      .def_property_readonly("shape", &shape_in_a_game)
      .def_readonly("meaning", &FieldInfo::meaning)
      .def_readonly("low", &FieldInfo::low)
      .def_readonly("high", &FieldInfo::high);
  py::class_<PyBatch>(m, "Batch")
      .def(py::init([](const py::object& task, const py::dict& parameters, int num_envs, std::uint64_t seed,
                       std::int64_t first_index, int num_threads, const py::object& autoreset,
                       const py::object& population, bool copy) {
             const BatchConfig batch{num_envs, seed, first_index, num_threads,
                                     autoreset_from(text_from("autoreset_mode", autoreset))};
             return std::make_unique<PyBatch>(text_from("task", task), parameters, batch, population, copy);
           }),
           py::arg("task"), py::arg("parameters"), py::arg("num_envs"), py::arg("seed"), py::arg("first_index"),
           py::arg("num_threads"), py::arg("autoreset"), py::arg("population"), py::arg("copy"))
      .def(py::pickle([](PyBatch& self) { return self.pickled(); },
                      [](const py::tuple& from) { return PyBatch::unpickled(from); }))
      .def("reset", &PyBatch::reset, py::arg("seeds"), py::arg("mask"))
      .def("step", &PyBatch::step, py::arg("actions"))
      .def("offer", &PyBatch::offer, py::arg("actions"))
      .def("act", &PyBatch::act, py::arg("actions"))
      .def("get_state", &PyBatch::get_state, py::arg("names"))
      .def("set_state", &PyBatch::set_state, py::arg("arrays"))
      .def("replace_followers", &PyBatch::replace_followers, py::arg("identities"), py::arg("seed"))
      .def("snapshot", [](PyBatch& self) { return py::bytes(self.core().snapshot()); })
      .def("restore", &PyBatch::restore, py::arg("snapshot"))
      .def("observe", &PyBatch::observe)
      .def_property_readonly("guard", [](PyBatch& self) { return self.core().guard(); })
      .def_property_readonly("observation_fields", [](PyBatch& self) { return self.core().observation_fields(); })
      .def_property_readonly("state_fields", [](PyBatch& self) { return self.core().state_fields(); })
      .def_property_readonly("result_fields", [](PyBatch& self) { return self.core().result_fields(); })
      .def_property_readonly("total_fields", [](PyBatch& self) { return self.core().total_fields(); })
      .def_property_readonly("follower_fields", [](PyBatch& self) { return self.core().follower_fields(); })
      .def_property_readonly("parameters", [](PyBatch& self) { return config_to_dict(self.core().config()); })
      .def_property_readonly("goal_reward", [](PyBatch& self) { return self.core().config().reward_of_goal(); })
      .def_property_readonly("choices", [](PyBatch& self) { return self.core().choices(); })
      .def_property_readonly("num_threads", [](PyBatch& self) { return self.core().threads(); })
      .def_property_readonly("bytes_per_game", [](PyBatch& self) { return self.core().bytes_per_game(); })
      .def_property_readonly("population", &PyBatch::population)
      .def_property_readonly("statistics", &statistics_views)
      .def("set_statistics", &set_statistics, py::arg("arrays"))
      .def("clear_statistics",
           [](PyBatch& self) {
             const CallGuard::Call call(self.guard(), kStatistics);
             self.core().statistics().clear();
           })
      .def_property(
          "frozen", [](PyBatch& self) { return self.core().statistics().frozen; },
          [](PyBatch& self, bool frozen) {
            const CallGuard::Call call(self.guard(), kStatistics);
            self.core().statistics().frozen = frozen;
          });
}

}  // namespace paymaster::bindings
