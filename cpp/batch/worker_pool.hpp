// Threads that share out the games of a batch: a contiguous slice each, in pieces.
#pragma once

#include <functional>
#include <memory>

namespace paymaster {

/// Runs a task over [0, count) cut into one slice a thread, and each slice into pieces. A thread works through its own
/// slice, whose games are in its cache, and then helps out with the pieces that others have not come to; so the caller,
/// who has the first slice, never waits for a thread that is late, only for pieces begun. What a piece does must not
/// depend on who does it or when. An exception in a piece does not stop the others; that of the first piece to throw, in
/// the order of pieces, is rethrown to the caller.
class WorkerPool {
 public:
  /// 0 threads: as many as this process may run on.
  explicit WorkerPool(int threads) : threads_(threads > 0 ? threads : usable_cores()) {}
  ~WorkerPool() { close(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  int size() const { return threads_; }

  /// Calls task(begin, end) for every piece and returns when all are done. No piece is smaller than `smallest`, unless
  /// `count` is; below twice that the caller does it all.
  void run(int count, int smallest, const std::function<void(int, int)>& task);

 private:
  friend struct CoreFunctions;
  struct Shared;
  static int usable_cores();
  void close();
  void start();
  void stop();

  int threads_;
  // Threads start at the first run, and anew in a forked child, where the parent's do not exist.
  std::shared_ptr<Shared> shared_;
  long owner_ = 0;
};

}  // namespace paymaster
