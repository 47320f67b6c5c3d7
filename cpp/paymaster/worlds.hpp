// A Python module of worlds, built outside of this tree with the installed package's headers (docs/extend.md):
//
//   #include "paymaster/worlds.hpp"
//   PAYMASTER_WORLDS(my_module, paymaster::task<MyWorld>("my_task", "what it is"))
//
// `import my_module` adds its tasks, to paymaster and to Gymnasium's registry. Compile with hidden symbols, as CMake's
// paymaster_add_worlds() does, so that two modules may have a class of the same name.
#pragma once

#include <Python.h>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "batch/world_kind.hpp"
#include "game/check.hpp"
#include "game/config.hpp"
#include "game/fields.hpp"
#include "game/rng.hpp"
#include "game/world.hpp"
#include "paymaster/interface.hpp"
#include "tasks/tasks.hpp"

namespace paymaster {

/// A task that plays a world. Its `preset` holds the defaults of every game, to be changed.
template <class World>
Task task(std::string name, std::string meaning) {
  GameConfig preset;
  preset.set_world(kKind<World>);
  return {std::move(name), std::move(meaning), std::move(preset)};
}

// --- what stays in the core, see interface.hpp ----------------------------------------------------------------------

inline const CoreFunctions* core = nullptr;  // set before anything else happens

inline void add_task(Task task) { core->add_task(std::move(task)); }
inline void check_offers(const GameConfig& config, const std::int32_t* actions, std::size_t games) {
  core->check_offers(config, actions, games);
}
inline void check_follower_actions(int choices, int followers, const std::int32_t* actions, std::size_t games) {
  core->check_follower_actions(choices, followers, actions, games);
}
inline void expect_room(int games, std::uint64_t bytes_per_game, std::uint64_t bytes_of_table) {
  core->expect_room(games, bytes_per_game, bytes_of_table);
}
inline void refuse_unbegun(const char* call, std::size_t game) {
  core->refuse_unbegun(call, game);
  std::terminate();  // it has thrown
}
inline std::uint64_t fingerprint(const GameConfig& config, const Population& population) {
  return core->fingerprint(config, population);
}
inline Population Population::drawn(const GameConfig& config) { return core->drawn(config); }
inline Population Population::with(const std::vector<int>& identities, const Population& others) const {
  return (this->*core->with)(identities, others);
}
inline void Population::draw_episode(Draws& draws, int n, std::uint16_t* identity, bool mixed) const {
  (this->*core->draw_episode)(draws, n, identity, mixed);
}
inline HistoryTable::HistoryTable(int population_, int goals_, int bonuses_, int horizon_)
    : HistoryTable(core->history_table(population_, goals_, bonuses_, horizon_)) {}
inline void HistoryTable::apply(const HistoryEvent* events, std::size_t count, int first, int last) {
  (this->*core->apply)(events, count, first, last);
}
inline void HistoryTable::clear(int identity) { (this->*core->clear)(identity); }
inline int WorkerPool::usable_cores() { return core->usable_cores(); }
inline void WorkerPool::run(int count, int smallest, const std::function<void(int, int)>& task) {
  (this->*core->run)(count, smallest, task);
}
inline void WorkerPool::close() { (this->*core->close)(); }
/// A thread has one number, the core's, which this module keeps a copy of.
inline std::uint64_t CallGuard::new_thread_number() { return core->this_thread(); }
inline std::uint64_t CallGuard::word(CallName name) { return core->word(name); }
inline void CallGuard::refuse(CallName name, std::uint64_t inside) {
  core->refuse(name, inside);
  std::terminate();  // it has thrown
}

// --- the module -----------------------------------------------------------------------------------------------------

namespace module_of_worlds {

struct Release {
  void operator()(PyObject* object) const { Py_DECREF(object); }
};
using Owned = std::unique_ptr<PyObject, Release>;

/// Asks the core for its functions; it refuses with an ImportError where the two do not fit together.
inline const CoreFunctions* functions_for(const char* module) {
  const Owned extension(PyImport_ImportModule("paymaster._core"));
  if (!extension) return nullptr;
  const Owned capsule(
      PyObject_CallMethod(extension.get(), "core_functions", "sss", module, PAYMASTER_INTERFACE, layout().c_str()));
  if (!capsule) return nullptr;
  return static_cast<const CoreFunctions*>(PyCapsule_GetPointer(capsule.get(), kCoreFunctions));
}

/// Adds the tasks that `tasks` returns; the module's own Python object, or null and an exception.
template <class Tasks>
PyObject* start(PyModuleDef& definition, Tasks&& tasks) {
  core = functions_for(definition.m_name);
  if (core == nullptr) return nullptr;
  const Owned names(PyList_New(0));
  if (!names) return nullptr;
  try {
    for (Task& task : tasks()) {
      const Owned name(PyUnicode_FromString(task.name.c_str()));
      if (!name || PyList_Append(names.get(), name.get()) != 0) return nullptr;
      add_task(std::move(task));
    }
  } catch (const std::invalid_argument& error) {
    PyErr_SetString(PyExc_ValueError, error.what());
    return nullptr;
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
    return nullptr;
  }
  const Owned registration(PyImport_ImportModule("paymaster.worlds.gymnasium_names"));
  if (!registration) return nullptr;
  const Owned registered(PyObject_CallMethod(registration.get(), "register_names", "O", names.get()));
  return registered ? PyModule_Create(&definition) : nullptr;
}

}  // namespace module_of_worlds
}  // namespace paymaster

/// Defines the module of this name, whose import adds the tasks behind it.
#define PAYMASTER_WORLDS(name, ...)                                                                                  \
  PyMODINIT_FUNC PyInit_##name() {                                                                                   \
    static PyModuleDef definition = {                                                                                \
        PyModuleDef_HEAD_INIT, #name, "Worlds for paymaster.", -1, nullptr, nullptr, nullptr, nullptr, nullptr};     \
    return paymaster::module_of_worlds::start(definition, [] { return std::vector<paymaster::Task>{__VA_ARGS__}; }); \
  }                                                                                                                  \
  static_assert(true, "a semicolon may follow")
