// A set of grid cells, one bit a cell.
//
// The cells of even index fill the first half of the words and those of odd index the second, both in row-major order.
// So a move by an odd number of cells exchanges the halves, and boards of two words, which is the tasks' map, are
// shifted without carrying bits from word to word.
#pragma once

#include <array>
#include <cstdint>

namespace paymaster {

/// W words of 64 cells; W is even. `Board<W> b{}` is empty, `Board<W> b` is not initialised.
template <int W>
struct Board {
  static_assert(W % 2 == 0);
  static constexpr int kHalf = W / 2;  // words of the even cells; those of the odd cells follow

  std::array<std::uint64_t, W> word;

  static Board single(int cell) {
    Board board{};
    board.set(cell);
    return board;
  }
  static unsigned word_of(int cell) {
    const auto index = static_cast<unsigned>(cell);
    return (index & 1) * static_cast<unsigned>(kHalf) + (kHalf == 1 ? 0 : index >> 7);
  }
  static std::uint64_t bit_of(int cell) { return std::uint64_t{1} << (cell >> 1 & 63); }

  void set(int cell) { word[word_of(cell)] |= bit_of(cell); }
  void clear(int cell) { word[word_of(cell)] &= ~bit_of(cell); }
  /// condition: 0 or 1.
  void set_if(std::uint64_t condition, int cell) { word[word_of(cell)] |= condition << (cell >> 1 & 63); }
  void clear_if(std::uint64_t condition, int cell) { word[word_of(cell)] &= ~(condition << (cell >> 1 & 63)); }
  bool test(int cell) const { return word[word_of(cell)] >> (cell >> 1 & 63) & 1; }

  bool any() const {
    std::uint64_t all = 0;
    for (int i = 0; i < W; ++i) all |= word[i];
    return all != 0;
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

  /// Every cell moved to a higher index by n > 0. Maps are closed by wall, so a wrap at a row's end lands on wall.
  Board up(int n) const {
    Board out;
    if (n % 2 == 0) {
      half_up(even(), n / 2, out.even());
      half_up(odd(), n / 2, out.odd());
    } else {
      half_up(odd(), n / 2 + 1, out.even());
      half_up(even(), n / 2, out.odd());
    }
    return out;
  }
  /// Every cell moved to a lower index by n > 0.
  Board down(int n) const {
    Board out;
    if (n % 2 == 0) {
      half_down(even(), n / 2, out.even());
      half_down(odd(), n / 2, out.odd());
    } else {
      half_down(odd(), n / 2, out.even());
      half_down(even(), n / 2 + 1, out.odd());
    }
    return out;
  }

 private:
  std::uint64_t* even() { return word.data(); }
  std::uint64_t* odd() { return word.data() + kHalf; }
  const std::uint64_t* even() const { return word.data(); }
  const std::uint64_t* odd() const { return word.data() + kHalf; }

  static void half_up(const std::uint64_t* in, int n, std::uint64_t* out) {
    if constexpr (kHalf == 1) {  // n < 64: a closed map of at most 128 cells has at most 42 columns
      out[0] = in[0] << n;
      return;
    }
    const int words = n >> 6, bits = n & 63;
    for (int i = kHalf - 1; i >= 0; --i) {
      std::uint64_t value = 0;
      if (i >= words) value = in[i - words] << bits;
      if (bits != 0 && i > words) value |= in[i - words - 1] >> (64 - bits);
      out[i] = value;
    }
  }
  static void half_down(const std::uint64_t* in, int n, std::uint64_t* out) {
    if constexpr (kHalf == 1) {
      out[0] = in[0] >> n;
      return;
    }
    const int words = n >> 6, bits = n & 63;
    for (int i = 0; i < kHalf; ++i) {
      std::uint64_t value = 0;
      if (i + words < kHalf) value = in[i + words] >> bits;
      if (bits != 0 && i + words + 1 < kHalf) value |= in[i + words + 1] << (64 - bits);
      out[i] = value;
    }
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
