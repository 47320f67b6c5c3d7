// The agreement between the core (paymaster._core) and a module of worlds that was built elsewhere (worlds.hpp).
//
// Such a module holds worlds and their games: GameBatch<World> is compiled from these headers, the rules included. What is
// no template stays in the core, which hands out a table of functions. So all games have one kind of guard and of worker
// pool, and errors that only the core knows (NotReset, ConcurrentCall) are thrown and caught there.
//
// Objects with virtual functions cross in both directions (Batch, WorldKind, WorldParameters, ParameterVisitor), and so do
// strings, vectors and std::invalid_argument. Therefore two things must be equal, and the core checks both before it hands
// out the table:
//   PAYMASTER_INTERFACE   the digest of the headers: classes, their virtual functions, the rules of the game
//   layout()              what a compiler makes of them: the standard library and the sizes of the objects that cross
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "batch/batch.hpp"
#include "batch/check_actions.hpp"
#include "batch/memory.hpp"
#include "batch/worker_pool.hpp"
#include "paymaster/version.hpp"
#include "tasks/tasks.hpp"

namespace paymaster {

/// Name of the capsule in which Python carries a CoreFunctions.
inline constexpr const char* kCoreFunctions = "paymaster.core_functions";

/// Everything that a GameBatch calls and that is no template. worlds.hpp forwards each call to its entry here.
struct CoreFunctions {
  decltype(&paymaster::add_task) add_task;
  decltype(&paymaster::check_offers) check_offers;
  decltype(&paymaster::check_follower_actions) check_follower_actions;
  decltype(&paymaster::expect_room) expect_room;
  decltype(&paymaster::refuse_unbegun) refuse_unbegun;
  std::uint64_t (*fingerprint)(const GameConfig&, const Population&);
  decltype(&Population::drawn) drawn;
  decltype(&Population::draw_episode) draw_episode;
  decltype(&Population::with) with;
  HistoryTable (*history_table)(int population, int goals, int bonuses, int horizon);
  void (HistoryTable::*apply)(const HistoryEvent* events, std::size_t count, int first, int last);
  void (HistoryTable::*clear)(int identity);
  decltype(&WorkerPool::usable_cores) usable_cores;
  decltype(&WorkerPool::run) run;
  decltype(&WorkerPool::close) close;
  decltype(&CallGuard::this_thread) this_thread;
  decltype(&CallGuard::word) word;
  decltype(&CallGuard::refuse) refuse;

  /// The core's own.
  static const CoreFunctions& table();
};

/// What a compiler makes of the objects that cross.
inline std::string layout() {
#if defined(_LIBCPP_VERSION)
  std::string text = "libc++ ABI " + std::to_string(_LIBCPP_ABI_VERSION);
#elif defined(__GLIBCXX__)
  std::string text = "libstdc++ " + std::string(_GLIBCXX_USE_CXX11_ABI ? "" : "of old strings ") + "ABI";
#elif defined(_MSC_VER)
  std::string text = "MSVC " + std::to_string(_MSC_VER / 100) + " iterators " + std::to_string(_ITERATOR_DEBUG_LEVEL);
#else
  std::string text = "unknown standard library";
#endif
  text += ", sizes";
  for (const std::size_t size :
       {sizeof(void*), sizeof(std::string), sizeof(std::vector<int>), sizeof(std::function<void()>), sizeof(Task),
        sizeof(GameConfig), sizeof(Population), sizeof(BatchConfig), sizeof(BatchResult), sizeof(FieldInfo),
        sizeof(HistoryTable), sizeof(HistoryEvent), sizeof(Batch), sizeof(WorkerPool), sizeof(CoreFunctions)})
    text += " " + std::to_string(size);
  return text;
}

}  // namespace paymaster
