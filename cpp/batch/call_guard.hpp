// One thread at a time. An object whose calls must not overlap owns a CallGuard, and every call enters it: while one
// thread is inside, the calls of others throw. They do not wait, for then the numbers would depend on who came first.
#pragma once

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace paymaster {

/// Two threads called one object at once. Python sees a RuntimeError.
class ConcurrentCall : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Names with the same places everywhere, also in modules that were built elsewhere: those of a batch's calls.
inline constexpr const char* kKnownCalls[] = {
    "reset", "offer", "step", "observe", "state", "set_state", "replace_followers", "snapshot", "restore"};

/// What a call is named in messages. Names are kept for good: make them once.
class CallName {
 public:
  explicit CallName(const std::string& name);
  /// One of kKnownCalls.
  static consteval CallName known(std::string_view name) {
    std::uint64_t index = 0;
    while (kKnownCalls[index] != name) ++index;
    return CallName(index);
  }
  std::uint64_t index() const { return index_; }

 private:
  explicit constexpr CallName(std::uint64_t index) : index_(index) {}

  std::uint64_t index_;
};

/// Who is inside, in one word: process generation (8 bits), thread (40) and name (16) of the outermost call; 0 nobody. A
/// thread that is inside may enter again. A thread that ends inside is never replaced: threads' numbers are not given
/// twice. What was inside when the process was forked stays so in the child, since the games were left half done.
class CallGuard {
 public:
  /// Inside for as long as it lives.
  class Call {
   public:
    Call(CallGuard& guard, CallName name) : guard_(guard) { guard_.enter(name); }
    ~Call() { guard_.leave(); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    CallGuard& guard_;
  };

  CallGuard() = default;
  CallGuard(const CallGuard&) = delete;
  CallGuard& operator=(const CallGuard&) = delete;

  /// Throws ConcurrentCall, and changes nothing, while another thread is inside.
  void enter(CallName name) {
    if (entered()) {
      ++depth_;
      return;
    }
    std::uint64_t nobody = 0;
    if (!inside_.compare_exchange_strong(nobody, word(name), std::memory_order_acquire, std::memory_order_relaxed))
      refuse(name, nobody);
  }

  /// Only by who has entered.
  void leave() noexcept {
    if (depth_ > 0) --depth_;
    else inside_.store(0, std::memory_order_release);
  }

  /// This thread is inside.
  bool entered() const { return thread_of(inside_.load(std::memory_order_relaxed)) == this_thread(); }

 private:
  friend struct CoreFunctions;
  static std::uint64_t this_thread() {
    if (thread_number_ == 0) thread_number_ = new_thread_number();
    return thread_number_;
  }
  static std::uint64_t thread_of(std::uint64_t inside) { return inside >> 16 & ((std::uint64_t{1} << 40) - 1); }
  static std::uint64_t word(CallName name);
  static std::uint64_t new_thread_number();
  [[noreturn]] static void refuse(CallName name, std::uint64_t inside);

  static inline constinit thread_local std::uint64_t thread_number_ = 0;

  std::atomic<std::uint64_t> inside_{0};
  int depth_ = 0;  // calls within the outermost; only the thread inside touches it
};

}  // namespace paymaster
