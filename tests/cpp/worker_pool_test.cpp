// Worker threads: every index once, exceptions reach the caller, a forked child can run it.
#include "batch/worker_pool.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <vector>

#if !defined(_WIN32)
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace paymaster {
namespace {

/// How often each index is visited in one run; 1 everywhere if all is well.
std::vector<int> visits(WorkerPool& pool, int count, int smallest = 8) {
  std::vector<int> seen(static_cast<std::size_t>(count));
  pool.run(count, smallest, [&](int begin, int end) {
    for (int i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];  // a piece is one thread's: no lock
  });
  return seen;
}

bool all_once(const std::vector<int>& seen) {
  for (const int n : seen) {
    if (n != 1) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("WorkerPool: every index is visited once, for many counts and threads") {
  for (const int threads : {1, 2, 3, 4, 7, 16}) {
    WorkerPool pool(threads);
    CHECK(pool.size() == threads);
    for (const int count : {0, 1, 2, 7, 8, 15, 16, 17, 31, 63, 64, 65, 100, 1000, 12345}) {
      CAPTURE(threads);
      CAPTURE(count);
      for (const int smallest : {1, 8, 100}) {
        CAPTURE(smallest);
        REQUIRE(all_once(visits(pool, count, smallest)));
      }
    }
  }
}

TEST_CASE("WorkerPool: pieces are contiguous and not too small, and the caller's thread takes part") {
  WorkerPool pool(4);
  std::atomic<int> pieces{0}, callers{0}, small{0};
  std::vector<int> piece_of(1000);
  const auto caller = std::this_thread::get_id();
  pool.run(1000, 10, [&](int begin, int end) {
    small += end - begin < 10;
    const int piece = ++pieces;
    callers += std::this_thread::get_id() == caller;
    for (int i = begin; i < end; ++i) piece_of[static_cast<std::size_t>(i)] = piece;
  });
  CHECK(pieces == 100);
  CHECK(callers > 0);
  CHECK(small == 0);
  int changes = 0;
  for (std::size_t i = 1; i < piece_of.size(); ++i) changes += piece_of[i] != piece_of[i - 1];
  CHECK(changes == 99);
}

TEST_CASE("WorkerPool: below two pieces' worth the caller does it all, and one piece a thread is one piece a thread") {
  WorkerPool pool(4);
  for (const auto& [count, smallest, expected] :
       {std::tuple{15, 8, 1}, {16, 8, 2}, {40, 10, 4}, {43, 10, 4}, {5, 9, 1}}) {
    CAPTURE(count);
    std::atomic<int> pieces{0};
    pool.run(count, smallest, [&](int, int) { ++pieces; });
    CHECK(pieces == expected);
  }
}

TEST_CASE("WorkerPool: a thread that is held up leaves its other pieces to the rest") {
  WorkerPool pool(2);
  std::atomic<int> done{0};
  pool.run(640, 10, [&](int, int end) {
    // The last piece of all waits for the others: they get done although its thread does none of them.
    if (end == 640)
      while (done < 63) std::this_thread::yield();
    ++done;
  });
  CHECK(done == 64);
}

TEST_CASE("WorkerPool: 0 threads means all this process may use") {
  WorkerPool pool(0);
  CHECK(pool.size() >= 1);
  CHECK(all_once(visits(pool, 500)));
}

TEST_CASE("WorkerPool: thousands of short runs after each other") {
  WorkerPool pool(3);
  std::vector<int> sum(24);
  for (int round = 0; round < 3000; ++round) {
    pool.run(24, 8, [&](int begin, int end) {
      for (int i = begin; i < end; ++i) ++sum[static_cast<std::size_t>(i)];
    });
  }
  CHECK(sum == std::vector<int>(24, 3000));
}

TEST_CASE("WorkerPool: many pools, some never run") {
  for (int i = 0; i < 50; ++i) {
    WorkerPool idle(4), busy(4);
    REQUIRE(all_once(visits(busy, 64)));
  }
}

TEST_CASE("WorkerPool: an exception in a piece reaches the caller while the others complete") {
  for (const int threads : {1, 2, 4}) {
    WorkerPool pool(threads);
    for (const int bad : {0, 40, 99}) {
      CAPTURE(threads);
      CAPTURE(bad);
      std::vector<int> seen(100);
      std::atomic<int> lost{0};
      const auto task = [&](int begin, int end) {
        const bool mine = begin <= bad && bad < end;
        if (mine) lost = end - begin;
        for (int i = begin; i < end; ++i) {
          if (!mine) ++seen[static_cast<std::size_t>(i)];
        }
        if (mine) throw std::runtime_error("piece of " + std::to_string(bad));
      };
      CHECK_THROWS_WITH_AS(pool.run(100, 8, task), ("piece of " + std::to_string(bad)).c_str(), std::runtime_error);
      int done = 0;
      for (const int n : seen) done += n;
      CHECK(done == 100 - lost);             // all but the piece that threw
      REQUIRE(all_once(visits(pool, 100)));  // and the pool works as before
    }
  }
}

TEST_CASE("WorkerPool: of several exceptions the first piece's is rethrown") {
  WorkerPool pool(4);
  for (int round = 0; round < 20; ++round) {
    const auto task = [&](int begin, int) { throw std::runtime_error(std::to_string(begin)); };
    CHECK_THROWS_WITH_AS(pool.run(100, 8, task), "0", std::runtime_error);
  }
  CHECK_THROWS_AS(pool.run(100, 8,
                           [](int begin, int) {
                             if (begin > 0) throw 42;  // not a std::exception
                           }),
                  int);
  CHECK(all_once(visits(pool, 100)));
}

#if !defined(_WIN32)
/// Runs `act` in a forked child and says whether it returned true. A child that hangs is killed.
template <class Act>
bool in_child(Act&& act, unsigned seconds) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    alarm(seconds);
    _exit(act() ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// ThreadSanitizer does not support starting threads in the child of a process that had several.
#if !defined(__SANITIZE_THREAD__)
TEST_CASE("WorkerPool: a forked child can run a pool that the parent has used, and so can the parent afterwards") {
  for (const bool used_before : {false, true}) {
    CAPTURE(used_before);
    WorkerPool pool(3);
    if (used_before) REQUIRE(all_once(visits(pool, 100)));
    const auto ten_runs = [&] {
      bool fine = true;
      for (int round = 0; round < 10; ++round) fine = fine && all_once(visits(pool, 100));
      return fine;
    };
    CHECK(in_child(ten_runs, 20));
    CHECK(ten_runs());
  }
}
#endif

TEST_CASE("WorkerPool: a forked child can destroy the parent's pool without waiting for its threads") {
  auto pool = std::make_unique<WorkerPool>(3);
  REQUIRE(all_once(visits(*pool, 100)));
  const auto destroy = [&] {
    pool.reset();
    return true;
  };
  CHECK(in_child(destroy, 20));
  CHECK(all_once(visits(*pool, 100)));
}
#endif

// Sanitizers need address space of their own, which this test takes away.
#if defined(__linux__) && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
TEST_CASE("WorkerPool: when threads cannot be started every run says so, until they can") {
  const auto starved = [] {
    WorkerPool pool(64);
    long pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit limit{};
    getrlimit(RLIMIT_AS, &limit);
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = static_cast<rlim_t>(pages * sysconf(_SC_PAGESIZE)) + (rlim_t{64} << 20);
    setrlimit(RLIMIT_AS, &limit);
    int errors = 0;
    for (int round = 0; round < 3; ++round) {
      try {
        pool.run(1000, 8, [](int, int) {});
      } catch (const std::system_error&) {
        ++errors;
      }
    }
    limit.rlim_cur = before;
    setrlimit(RLIMIT_AS, &limit);
    return errors == 3 && all_once(visits(pool, 1000));
  };
  CHECK(in_child(starved, 3));
}
#endif

}  // namespace paymaster
