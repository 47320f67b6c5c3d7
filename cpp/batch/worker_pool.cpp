#include "batch/worker_pool.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif
#if !defined(_WIN32)
#include <unistd.h>
#endif

namespace paymaster {
namespace {

// Pieces of a slice: enough for the last one to be short, too few for claiming them to take time.
constexpr int kMostPieces = 32;
// Looks for the next round before the core is offered to others: some twenty microseconds, more than Python needs between
// two steps of a loop that only steps.
constexpr int kSpins = 1000;

/// Tells the core that the thread is only waiting.
void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) && defined(__GNUC__)
  asm volatile("yield");
#endif
}

long process_id() {
#if defined(_WIN32)
  return 1;
#else
  return static_cast<long>(getpid());
#endif
}

}  // namespace

struct WorkerPool::Shared {
  /// The pieces of a slice that nobody has claimed; on a cache line of its own.
  struct alignas(64) Slice {
    std::atomic<int> left{0};
  };

  explicit Shared(int size) : slice(static_cast<std::size_t>(size)) {}

  std::atomic<unsigned> round{0};
  std::atomic<bool> stop{false};
  alignas(64) std::atomic<int> unfinished{0};  // pieces of this round
  std::vector<Slice> slice;
  // Of this round. Written before its pieces can be claimed, and read only by who has claimed one and not finished it.
  alignas(64) const std::function<void(int, int)>* task = nullptr;
  int count = 0, slices = 1, pieces = 1;  // pieces of a slice
  std::mutex failing;
  std::exception_ptr error;
  int failed = 0;  // the piece that threw it
  std::vector<std::thread> threads;

  /// Pieces of one's own slice, then of the others'.
  void work_off(int own) noexcept {
    const int size = static_cast<int>(slice.size());
    for (int i = 0; i < size; ++i) {
      const int mine = own + i < size ? own + i : own + i - size;
      std::atomic<int>& left = slice[static_cast<std::size_t>(mine)].left;
      // A thread that comes too late for its round finds nothing left, or claims a piece of the round after it.
      while (left.load(std::memory_order_relaxed) > 0) {
        const int last = left.fetch_sub(1, std::memory_order_acq_rel);
        if (last > 0) run_piece(mine * pieces + pieces - last);
      }
    }
  }

  void run_piece(int piece) noexcept {
    const auto edge = [&](int i) { return static_cast<int>(static_cast<long long>(count) * i / (slices * pieces)); };
    try {
      (*task)(edge(piece), edge(piece + 1));
    } catch (...) {
      const std::lock_guard lock(failing);
      if (!error || piece < failed) {
        error = std::current_exception();
        failed = piece;
      }
    }
    if (unfinished.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished.notify_one();
  }

  void work(int own) {
    unsigned seen = 0;
    for (;;) {
      // A step is often followed by the next within microseconds: look for it a while before going to sleep. At first
      // without letting go of the core, which on a busy machine would come back milliseconds too late.
      for (int spin = 0; spin < kSpins && round.load(std::memory_order_acquire) == seen; ++spin) relax();
      for (int spin = 0; spin < 2000 && round.load(std::memory_order_acquire) == seen; ++spin)
        std::this_thread::yield();
      round.wait(seen, std::memory_order_acquire);
      seen = round.load(std::memory_order_acquire);
      if (stop.load(std::memory_order_acquire)) return;
      work_off(own);
    }
  }

  /// Until the pieces that others have begun are done: a few microseconds, which are not worth going to sleep for, unless
  /// one of them has lost its core.
  void wait() {
    for (int spin = 0; spin < 500 && unfinished.load(std::memory_order_acquire) != 0; ++spin) relax();
    for (int left = unfinished.load(std::memory_order_acquire); left != 0;
         left = unfinished.load(std::memory_order_acquire))
      unfinished.wait(left, std::memory_order_acquire);
  }
};

int WorkerPool::usable_cores() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void WorkerPool::close() {
  if (!shared_ || owner_ != process_id()) {
    // A forked child has only copies of the thread handles: leave them alone, they are not its threads.
    if (shared_) new std::shared_ptr<Shared>(std::move(shared_));
    return;
  }
  stop();
}

void WorkerPool::stop() {
  shared_->stop.store(true, std::memory_order_release);
  shared_->round.fetch_add(1, std::memory_order_acq_rel);
  shared_->round.notify_all();
  for (auto& thread : shared_->threads) thread.join();
  shared_.reset();
}

void WorkerPool::start() {
  if (shared_) new std::shared_ptr<Shared>(std::move(shared_));  // see close()
  shared_ = std::make_shared<Shared>(threads_);
  owner_ = process_id();
  try {
    for (int slice = 1; slice < threads_; ++slice)
      shared_->threads.emplace_back([shared = shared_.get(), slice] { shared->work(slice); });
  } catch (...) {
    // The system has no more threads: end those that did start, so that the next run begins afresh.
    stop();
    throw;
  }
}

void WorkerPool::run(int count, int smallest, const std::function<void(int, int)>& task) {
  const int slices = std::clamp(count / smallest, 1, threads_);
  if (slices == 1) {
    task(0, count);
    return;
  }
  if (!shared_ || owner_ != process_id()) start();
  Shared& shared = *shared_;
  shared.task = &task;
  shared.count = count;
  shared.slices = slices;
  shared.pieces = std::clamp(count / (slices * smallest), 1, kMostPieces);
  shared.error = nullptr;
  shared.unfinished.store(slices * shared.pieces, std::memory_order_relaxed);
  for (int i = 0; i < slices; ++i)
    shared.slice[static_cast<std::size_t>(i)].left.store(shared.pieces, std::memory_order_release);
  shared.round.fetch_add(1, std::memory_order_acq_rel);
  shared.round.notify_all();
  shared.work_off(0);
  shared.wait();
  if (shared.error) std::rethrow_exception(std::exchange(shared.error, nullptr));
}

}  // namespace paymaster
