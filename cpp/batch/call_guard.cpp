#include "batch/call_guard.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <mutex>

#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace paymaster {
namespace {

struct Names {
  std::mutex lock;
  std::deque<std::string> all{std::begin(kKnownCalls), std::end(kKnownCalls)};
};

/// Never destroyed: calls may outlive the statics of their program.
Names& names() {
  static Names& table = *new Names;
  return table;
}

std::string name_of(std::uint64_t index) {
  const std::lock_guard lock(names().lock);
  return names().all[static_cast<std::size_t>(index)];
}

/// Forks between the first process and this one.
std::atomic<std::uint8_t> generation{0};

#if !defined(_WIN32)
void in_forked_child() {
  generation.fetch_add(1, std::memory_order_relaxed);
  // A thread that the child does not have may have held it.
  new (&names().lock) std::mutex;
}
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, in_forked_child);
#endif

}  // namespace

CallName::CallName(const std::string& name) {
  const std::lock_guard lock(names().lock);
  std::deque<std::string>& all = names().all;
  auto at = std::find(all.begin(), all.end(), name);
  if (at == all.end()) {
    if (all.size() > 0xffff) throw std::length_error("call guard: expected at most 65536 names of calls");
    at = all.insert(all.end(), name);
  }
  index_ = static_cast<std::uint64_t>(at - all.begin());
}

std::uint64_t CallGuard::new_thread_number() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

std::uint64_t CallGuard::word(CallName name) {
  return static_cast<std::uint64_t>(generation.load(std::memory_order_relaxed)) << 56 | this_thread() << 16 |
         name.index();
}

void CallGuard::refuse(CallName name, std::uint64_t inside) {
  const std::string mine = name_of(name.index()), other = name_of(inside & 0xffff);
  if (inside >> 56 != generation.load(std::memory_order_relaxed))
    throw ConcurrentCall(mine + ": expected an object at rest, got one that was in " + other +
                         "() of another thread when this process was forked; make a new one");
  throw ConcurrentCall(mine + ": expected no other call on this object at the same time, got " + other +
                       "() in another thread; give each thread one of its own");
}

}  // namespace paymaster
