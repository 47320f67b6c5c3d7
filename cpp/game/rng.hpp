// Counter-based random numbers: Philox4x64-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
//
// Every draw is a pure function of (seed, environment, episode, stream, step, index), so results depend neither on the
// number of threads nor on how a batch is split. NumPy ships the same generator, which is how tests check ours:
// np.random.Philox(key=[seed, stream], counter=[0, step, episode, env]).random_raw(n) is draw 0 .. n-1.
#pragma once

#include <array>
#include <cstdint>

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#endif

namespace paymaster {

/// `world` is for worlds outside the package.
enum class Stream : std::uint64_t { population = 0, reset = 1, noise = 2, prey = 3, respawn = 4, world = 5 };

/// High and low 64 bits of a product.
inline std::uint64_t multiply_high(std::uint64_t a, std::uint64_t b, std::uint64_t& low) {
#if defined(_MSC_VER) && !defined(__clang__)
  std::uint64_t high;
  low = _umul128(a, b, &high);
  return high;
#else
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  low = static_cast<std::uint64_t>(product);
  return static_cast<std::uint64_t>(product >> 64);
#endif
}

using PhiloxBlock = std::array<std::uint64_t, 4>;

inline PhiloxBlock philox4x64(PhiloxBlock counter, std::array<std::uint64_t, 2> key) {
  constexpr std::uint64_t kMultiplier0 = 0xD2E7470EE14C6C93, kMultiplier1 = 0xCA5A826395121157;
  constexpr std::uint64_t kWeyl0 = 0x9E3779B97F4A7C15, kWeyl1 = 0xBB67AE8584CAA73B;
  for (int round = 0; round < 10; ++round) {
    std::uint64_t low0, low1;
    const std::uint64_t high0 = multiply_high(kMultiplier0, counter[0], low0);
    const std::uint64_t high1 = multiply_high(kMultiplier1, counter[2], low1);
    counter = {high1 ^ counter[1] ^ key[0], low1, high0 ^ counter[3] ^ key[1], low0};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

/// One draw as an integer in [0, n): the high word of a product (bias below 2^-50 for every n used here).
inline std::uint32_t below(std::uint64_t draw, std::uint32_t n) {
  std::uint64_t low;
  return static_cast<std::uint32_t>(multiply_high(draw, n, low));
}

/// One draw as a double in [0, 1).
inline double unit(std::uint64_t draw) { return static_cast<double>(draw >> 11) * 0x1.0p-53; }

/// The consecutive draws of one (seed, stream, step, episode, environment).
class Draws {
 public:
  Draws(std::uint64_t seed, Stream stream, std::uint64_t step, std::uint64_t episode, std::uint64_t environment)
      : key_{seed, static_cast<std::uint64_t>(stream)}, step_(step), episode_(episode), environment_(environment) {}

  std::uint64_t next() {
    // Blocks are counted from 1, as NumPy does.
    if (lane_ == 4) {
      block_ = philox4x64({++index_, step_, episode_, environment_}, key_);
      lane_ = 0;
    }
    return block_[lane_++];
  }
  std::uint32_t below(std::uint32_t n) { return paymaster::below(next(), n); }
  double unit() { return paymaster::unit(next()); }

 private:
  std::array<std::uint64_t, 2> key_;
  std::uint64_t step_, episode_, environment_;
  std::uint64_t index_ = 0;
  PhiloxBlock block_{};
  unsigned lane_ = 4;
};

}  // namespace paymaster
