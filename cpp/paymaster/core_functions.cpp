// The core's side of interface.hpp.
#include "paymaster/interface.hpp"

#include "batch/snapshot.hpp"

namespace paymaster {

const CoreFunctions& CoreFunctions::table() {
  static const CoreFunctions functions = {
      .add_task = &paymaster::add_task,
      .check_offers = &paymaster::check_offers,
      .check_follower_actions = &paymaster::check_follower_actions,
      .expect_room = &paymaster::expect_room,
      .refuse_unbegun = &paymaster::refuse_unbegun,
      .fingerprint = &paymaster::fingerprint,
      .drawn = &Population::drawn,
      .draw_episode = &Population::draw_episode,
      .with = &Population::with,
      .history_table = [](int population, int goals, int bonuses,
                          int horizon) { return HistoryTable(population, goals, bonuses, horizon); },
      .apply = &HistoryTable::apply,
      .clear = &HistoryTable::clear,
      .usable_cores = &WorkerPool::usable_cores,
      .run = &WorkerPool::run,
      .close = &WorkerPool::close,
      .this_thread = &CallGuard::this_thread,
      .word = &CallGuard::word,
      .refuse = &CallGuard::refuse,
  };
  return functions;
}

}  // namespace paymaster
