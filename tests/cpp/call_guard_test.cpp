// One thread at a time: what a second thread is told, and that nothing has changed.
#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <thread>

#if !defined(_WIN32)
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "support/test_batch.hpp"
#include "tasks/tasks.hpp"

namespace paymaster::test {
namespace {

const CallName kOne("one"), kTwo("two");

/// What ConcurrentCall says when another thread does it; "" when it goes through.
std::string refused(const std::function<void()>& act) {
  std::string said;
  std::thread other([&] {
    try {
      act();
    } catch (const ConcurrentCall& error) {
      said = error.what();
    }
  });
  other.join();
  return said;
}

std::string refused(CallGuard& guard, CallName name) {
  return refused([&] { const CallGuard::Call call(guard, name); });
}

/// Everything that a thread may do to a batch, with arrays of its own.
struct Caller {
  explicit Caller(const GameConfig& config, int threads = 1, int games = 24)
      : batch(config, {.num_envs = games, .num_threads = threads}), state(batch.core()) {
    batch.reset();
    state.read(batch.core());
    snapshot = batch.core().snapshot();
  }

  std::vector<std::pair<std::string, std::function<void()>>> calls(Batch& core, TestBatch& own) {
    return {
        {"reset", [&] { core.reset(nullptr, nullptr, observation_of(own)); }},
        {"step", [&] { core.step(offers(core).data(), nullptr, results_of(own)); }},
        {"observe", [&] { core.observe(observation_of(own)); }},
        {"state", [&] { StateArrays(core).read(core); }},
        {"set_state", [&] { state.write(core); }},
        {"snapshot", [&] { core.snapshot(); }},
        {"restore", [&] { core.restore(snapshot); }},
    };
  }

  static BatchResult results_of(TestBatch& own) { return const_cast<Results&>(own.results()).pointers(); }
  static ObservationRows observation_of(TestBatch& own) { return results_of(own).observation; }
  static Offers offers(const Batch& core) {
    return Offers(static_cast<std::size_t>(core.batch_config().num_envs * core.config().num_followers) * 2, 0);
  }

  TestBatch batch;
  StateArrays state;
  std::string snapshot;
};

}  // namespace

TEST_CASE("CallGuard: a second thread is told both calls, and comes in when the first is out") {
  CallGuard guard;
  {
    const CallGuard::Call call(guard, kOne);
    CHECK(guard.entered());
    CHECK(refused(guard, kTwo) ==
          "two: expected no other call on this object at the same time, got one() in another thread; give each thread "
          "one of its own");
  }
  CHECK_FALSE(guard.entered());
  CHECK(refused(guard, kTwo) == "");
  const CallGuard::Call call(guard, kTwo);
}

TEST_CASE("CallGuard: the same thread may enter again, and is in until the outermost call ends") {
  CallGuard guard;
  {
    const CallGuard::Call outer(guard, kOne);
    for (int i = 0; i < 3; ++i) {
      const CallGuard::Call inner(guard, kTwo), innermost(guard, kTwo);
    }
    CHECK(refused(guard, kTwo).find("got one()") != std::string::npos);
  }
  CHECK(refused(guard, kTwo) == "");
}

TEST_CASE("CallGuard: an exception inside leaves, a refusal does not enter") {
  CallGuard guard;
  CHECK_THROWS_AS(
      [&] {
        const CallGuard::Call call(guard, kOne);
        throw std::invalid_argument("inside");
      }(),
      std::invalid_argument);
  CHECK(refused(guard, kTwo) == "");
  const CallGuard::Call call(guard, kOne);
  for (int i = 0; i < 3; ++i) CHECK(refused(guard, kTwo) != "");
}

TEST_CASE("CallGuard: a thread that ends inside is not mistaken for the next one") {
  CallGuard guard;
  std::thread([&] { guard.enter(kOne); }).join();
  for (int i = 0; i < 8; ++i) CHECK(refused(guard, kTwo).find("got one()") != std::string::npos);
}

#if !defined(_WIN32) && !defined(__SANITIZE_THREAD__)
TEST_CASE("CallGuard: what another thread was in when the process was forked stays closed in the child, and says why") {
  CallGuard guard, idle, mine;
  std::atomic<bool> inside{false}, done{false};
  std::thread other([&] {
    const CallGuard::Call call(guard, kOne);
    inside = true;
    while (!done) std::this_thread::yield();
  });
  while (!inside) std::this_thread::yield();
  const CallGuard::Call call(mine, kOne);
  const pid_t child = fork();
  if (child == 0) {
    bool right = false;
    try {
      const CallGuard::Call refused_call(guard, kTwo);
    } catch (const ConcurrentCall& error) {
      right = std::string(error.what()).find("when this process was forked") != std::string::npos;
    }
    const CallGuard::Call again(mine, kTwo), first(idle, kOne);
    _exit(right ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  done = true;
  other.join();
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(refused(guard, kTwo) == "");
}
#endif

TEST_CASE("Batch: every call is refused while another thread is in one, and changes nothing") {
  for (const char* task : {"resource_collection", "predator_prey"}) {
    Caller caller(find_task(task).preset);
    Batch& core = caller.batch.core();
    TestBatch own(find_task(task).preset, {.num_envs = 24, .num_threads = 1});
    for (const auto& [name, act] : caller.calls(core, own)) {
      CAPTURE(name);
      const CallGuard::Call call(*core.guard(), kOne);
      CHECK(refused(act) == name +
                                ": expected no other call on this object at the same time, got one() in another "
                                "thread; give each thread one of its own");
      CHECK(core.snapshot() == caller.snapshot);
    }
    for (const auto& [name, act] : caller.calls(core, own)) {
      CAPTURE(name);
      CHECK(refused(act) == "");
    }
  }
  GameConfig two_phase = find_task("navigation").preset;
  two_phase.followers = "meta";
  TestBatch batch(two_phase, {.num_envs = 2, .num_threads = 1});
  batch.reset();
  const CallGuard::Call call(*batch.core().guard(), kOne);
  CHECK(refused([&] { batch.core().offer(Caller::offers(batch.core()).data(), {}); }) != "");
  CHECK(refused([&] { batch.core().replace_followers({0}, 1); }) != "");
}

TEST_CASE("Batch: threads that call as they like leave a game that one thread could have played") {
  for (const int threads : {1, 3}) {
    const GameConfig config = find_task("resource_collection").preset;
    Caller caller(config, threads, 40);
    Batch& core = caller.batch.core();
    std::atomic<int> steps{0};
    const auto hammer = [&](std::size_t which) {
      TestBatch own(config, {.num_envs = 40, .num_threads = 1});
      const auto all = caller.calls(core, own);
      // Steps by two threads, and what changes nothing by the third.
      const auto& [name, act] = all[which];
      for (int i = 0; i < steps_to_play(200); ++i) {
        try {
          act();
          if (name == "step") ++steps;
        } catch (const ConcurrentCall&) {
        }
      }
    };
    std::vector<std::thread> running;
    for (const std::size_t which : {1, 1, 2, 3, 5}) running.emplace_back(hammer, which);
    for (std::thread& thread : running) thread.join();
    Caller alone(config, 1, 40);
    for (int i = 0; i < steps; ++i) alone.batch.step(Caller::offers(core));
    CHECK(core.snapshot() == alone.batch.core().snapshot());
  }
}

TEST_CASE("Batch: threads that also reset, restore and set the state do no harm") {
  const GameConfig config = find_task("predator_prey").preset;
  Caller caller(config, 2, 24);
  Batch& core = caller.batch.core();
  std::vector<std::thread> running;
  for (std::size_t which = 0; which < 7; ++which) {
    running.emplace_back([&, which] {
      TestBatch own(config, {.num_envs = 24, .num_threads = 1});
      const auto all = caller.calls(core, own);
      for (int i = 0; i < steps_to_play(60); ++i) {
        try {
          all[which].second();
        } catch (const ConcurrentCall&) {
        }
      }
    });
  }
  for (std::thread& thread : running) thread.join();
  core.restore(caller.snapshot);
  CHECK(core.snapshot() == caller.snapshot);
}

}  // namespace paymaster::test
