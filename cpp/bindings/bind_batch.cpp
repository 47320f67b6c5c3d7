// B games at once. Types and shapes are checked here with the GIL held; the loop runs without it, which is safe because
// it touches only the core's state and arrays that this call owns. Each call is inside the core's guard from the first
// change to the last result, since what it keeps here belongs to one call as well.
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>

#include "arguments.hpp"
#include "batch/batch.hpp"
#include "bindings.hpp"
#include "config_from_dict.hpp"
#include "game/check.hpp"
#include "history_arrays.hpp"
#include "results.hpp"
#include "tasks/tasks.hpp"

namespace paymaster::bindings {
namespace {

const CallName kAct("act"), kCopy("copy"), kPopulation("population"), kStatistics("statistics");

/// A batch as Python holds it.
class PyBatch {
 public:
  PyBatch(const std::string& task, const py::dict& parameters, const BatchConfig& batch, const py::object& population,
          bool copy)
      : task_(task), made_of_(copies().attr("made_of")(task)), copy_(copy) {
    const GameConfig config = config_from_dict(task, parameters);
    std::optional<Population> people;
    if (!population.is_none()) people = population_from(population, config.num_goals);
    {
      py::gil_scoped_release release;
      batch_ = make_batch(config, batch, people ? &*people : nullptr);
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
    read_offers(*batch_, actions, taken_);
    return advance(taken_.data(), nullptr);
  }

  /// The first phase; the offers are kept for the second.
  py::dict offer(const py::array& actions) {
    const CallGuard::Call call(guard(), calls::offer);
    expect(two_phase(), "offer", "followers 'meta' or 'primitive'; rule-based ones take step()",
           batch_->config().followers);
    read_offers(*batch_, actions, taken_);
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
    read_follower_actions(*batch_, actions, follower_actions_);
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
                          py::bytes(batch_->snapshot()), offers, made_of_);
  }

  static std::unique_ptr<PyBatch> unpickled(const py::tuple& from) {
    expect(from.size() == 12, "pickled batch", "12 parts", from.size());
    copies().attr("find_made_of")(from[0], from[11]);  // for a process that has not met the task
    expect_range(py::cast<int>(from[6]), 0, static_cast<int>(Autoreset::disabled), "pickled batch: autoreset");
    const BatchConfig batch{py::cast<int>(from[2]), py::cast<std::uint64_t>(from[3]), py::cast<std::int64_t>(from[4]),
                            py::cast<int>(from[5]), static_cast<Autoreset>(py::cast<int>(from[6]))};
    std::unique_ptr<PyBatch> made;
    try {
      made = std::make_unique<PyBatch>(py::cast<std::string>(from[0]), py::cast<py::dict>(from[1]), batch,
                                       py::object(from[7]), py::cast<bool>(from[8]));
      made->batch_->restore(py::cast<std::string>(from[9]));
    } catch (const std::exception&) {
      copies().attr("refuse_another")(from[0], from[11]);  // if that is why
      throw;
    }
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
      const std::size_t at = field_index(fields, name);
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
      const std::size_t at = field_index(fields, name);
      held.push_back(as_field(fields[at], batch_->batch_config().num_envs, py::reinterpret_borrow<py::object>(value)));
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
    return arrays_of(batch_->population(), batch_->config().num_goals);
  }

 private:
  static py::module_ copies() { return py::module_::import("paymaster.worlds.copies"); }

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

  std::string task_;
  py::object made_of_;  // what the task was when the games were made
  bool copy_;
  std::unique_ptr<Batch> batch_;
  std::optional<Results> results_;  // made in the constructor, with the GIL held
  std::optional<FieldArrays> followers_;
  std::vector<std::int32_t> taken_, offers_, follower_actions_;
  bool offered_ = false;  // offers_ holds offers that followers have not answered yet
};

/// Amounts as games pay them, float32.
template <class Amount>
Array<float> numbers(py::ssize_t count, Amount&& amount) {
  Array<float> out(count);
  for (py::ssize_t i = 0; i < count; ++i) out.mutable_at(i) = static_cast<float>(amount(static_cast<int>(i)));
  return out;
}

py::tuple shape_in_a_game(const FieldInfo& field) {
  std::vector<py::ssize_t> shape = array_shape(field, 0);
  shape.erase(shape.begin());
  return py::tuple(py::cast(shape));
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
      .def_property_readonly("goal_reward",
                             [](PyBatch& self) {
                               const GameConfig& config = self.core().config();
                               return numbers(config.num_goals, [&](int g) { return config.reward_of(g); });
                             })
      .def_property_readonly("prices",
                             [](PyBatch& self) {
                               const GameConfig& config = self.core().config();
                               return numbers(config.num_bonuses, [&](int b) { return config.price_of(b); });
                             })
      .def_property_readonly("num_actions", [](PyBatch& self) { return self.core().config().world->actions(); })
      .def_property_readonly("choices", [](PyBatch& self) { return self.core().choices(); })
      .def_property_readonly("num_threads", [](PyBatch& self) { return self.core().threads(); })
      .def_property_readonly("bytes_per_game", [](PyBatch& self) { return self.core().bytes_per_game(); })
      .def_property_readonly("population", &PyBatch::population)
      .def_property_readonly(
          "statistics",
          [](const py::object& self) { return history_views(py::cast<PyBatch&>(self).core().statistics(), self); })
      .def(
          "set_statistics",
          [](PyBatch& self, const py::dict& arrays) {
            const CallGuard::Call call(self.guard(), kStatistics);
            set_history(self.core().statistics(), arrays);
          },
          py::arg("arrays"))
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
