// A set of grid cells, one bit a cell in row-major order, W words of 64.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace paymaster {

template <int W>
struct Board {
  std::array<std::uint64_t, W> word{};

  static Board single(int cell) {
    Board board;
    board.set(cell);
    return board;
  }
  void set(int cell) { word[static_cast<unsigned>(cell) >> 6] |= std::uint64_t{1} << (cell & 63); }
  void clear(int cell) { word[static_cast<unsigned>(cell) >> 6] &= ~(std::uint64_t{1} << (cell & 63)); }
  bool test(int cell) const { return (word[static_cast<unsigned>(cell) >> 6] >> (cell & 63)) & 1; }

  bool any() const {
    std::uint64_t all = 0;
    for (int i = 0; i < W; ++i) all |= word[i];
    return all != 0;
  }
  int count() const {
    int n = 0;
    for (int i = 0; i < W; ++i) n += std::popcount(word[i]);
    return n;
  }
  /// The n-th set cell (n counted from 0, row-major); n must be below count().
  int nth(int n) const {
    for (int i = 0; i < W; ++i) {
      const int here = std::popcount(word[i]);
      if (n < here) {
        std::uint64_t rest = word[i];
        while (n-- > 0) rest &= rest - 1;
        return 64 * i + std::countr_zero(rest);
      }
      n -= here;
    }
    return -1;
  }

  Board& operator|=(const Board& other) {
    for (int i = 0; i < W; ++i) word[i] |= other.word[i];
    return *this;
  }
  Board& operator&=(const Board& other) {
    for (int i = 0; i < W; ++i) word[i] &= other.word[i];
    return *this;
  }
  /// Removes the other's cells.
  Board& operator-=(const Board& other) {
    for (int i = 0; i < W; ++i) word[i] &= ~other.word[i];
    return *this;
  }
  friend Board operator|(Board a, const Board& b) { return a |= b; }
  friend Board operator&(Board a, const Board& b) { return a &= b; }
  friend Board operator-(Board a, const Board& b) { return a -= b; }
  bool operator==(const Board&) const = default;

  /// Every cell moved to a higher index by n. Maps are closed by wall, so a wrap at a row's end lands on wall.
  Board up(int n) const {
    Board out;
    if constexpr (W == 2) {  // 0 < n < 64: a closed map of at most 128 cells has at most 42 columns
      out.word = {word[0] << n, word[1] << n | word[0] >> (64 - n)};
      return out;
    }
    const int words = n >> 6, bits = n & 63;
    for (int i = W - 1; i >= words; --i) {
      std::uint64_t value = word[i - words] << bits;
      if (bits != 0 && i - words > 0) value |= word[i - words - 1] >> (64 - bits);
      out.word[i] = value;
    }
    return out;
  }
  /// Every cell moved to a lower index by n.
  Board down(int n) const {
    Board out;
    if constexpr (W == 2) {
      out.word = {word[0] >> n | word[1] << (64 - n), word[1] >> n};
      return out;
    }
    const int words = n >> 6, bits = n & 63;
    for (int i = 0; i + words < W; ++i) {
      std::uint64_t value = word[i + words] >> bits;
      if (bits != 0 && i + words + 1 < W) value |= word[i + words + 1] << (64 - bits);
      out.word[i] = value;
    }
    return out;
  }
};

/// f.operator()<W>() for the boards of a map with so many cells: everything on a grid exists for these W.
template <class F>
decltype(auto) with_words(int cells, F&& f) {
  if (cells <= 64 * 2) return f.template operator()<2>();
  if (cells <= 64 * 4) return f.template operator()<4>();
  if (cells <= 64 * 8) return f.template operator()<8>();
  if (cells <= 64 * 16) return f.template operator()<16>();
  return f.template operator()<64>();
}

}  // namespace paymaster
