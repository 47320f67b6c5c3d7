// Random numbers for test cases: the same on every platform (no std distributions), and not the core's own generator.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>

namespace paymaster::test {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t next() { return engine_(); }
  /// 0 .. n-1.
  int below(int n) { return static_cast<int>(engine_() % static_cast<std::uint64_t>(n)); }
  /// low .. high, both included.
  int between(int low, int high) { return low + below(high - low + 1); }
  template <class T>
  T one_of(std::initializer_list<T> values) {
    return values.begin()[below(static_cast<int>(values.size()))];
  }
  bool chance(int percent) { return below(100) < percent; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace paymaster::test
