// Boards of 2, 4 and 64 words against a slow loop over cells.
#include "worlds/grid/bitboard.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "support/random.hpp"

namespace paymaster::test {
namespace {

template <int W>
using Words = std::integral_constant<int, W>;

/// The same set twice: as a board and cell by cell.
template <int W>
struct Pair {
  Board<W> board{};
  std::vector<bool> cells = std::vector<bool>(64 * W);

  Pair(Random& random, int percent) {
    for (int cell = 0; cell < 64 * W; ++cell) {
      if (!random.chance(percent)) continue;
      board.set(cell);
      cells[static_cast<std::size_t>(cell)] = true;
    }
  }
};

template <int W>
std::vector<bool> cells_of(const Board<W>& board) {
  std::vector<bool> cells(64 * W);
  for (int cell = 0; cell < 64 * W; ++cell) cells[static_cast<std::size_t>(cell)] = board.test(cell);
  return cells;
}

/// Every cell moved by `offset`; what leaves the board is gone.
std::vector<bool> moved(const std::vector<bool>& cells, int offset) {
  std::vector<bool> out(cells.size());
  for (int cell = 0; cell < static_cast<int>(cells.size()); ++cell) {
    const int to = cell + offset;
    if (to >= 0 && to < static_cast<int>(cells.size()))
      out[static_cast<std::size_t>(to)] = cells[static_cast<std::size_t>(cell)];
  }
  return out;
}

}  // namespace

TEST_CASE_TEMPLATE("Board: shifts, by every row length a map of the size can have", Size, Words<2>, Words<4>,
                   Words<64>) {
  constexpr int W = Size::value;
  Random random(1);
  const int longest = W == 2 ? 63 : 255;  // two words: bitboard.hpp promises less than a word
  for (const int percent : {40, 100}) {
    const Pair<W> pair(random, percent);
    for (int n = 1; n <= longest; ++n) {
      CAPTURE(n);
      REQUIRE(cells_of(pair.board.up(n)) == moved(pair.cells, n));
      REQUIRE(cells_of(pair.board.down(n)) == moved(pair.cells, -n));
    }
  }
}

TEST_CASE_TEMPLATE("Board: any", Size, Words<2>, Words<4>, Words<64>) {
  constexpr int W = Size::value;
  CHECK_FALSE(Board<W>{}.any());
  for (int cell = 0; cell < 64 * W; ++cell) {
    CAPTURE(cell);
    Board<W> board = Board<W>::single(cell);
    REQUIRE(board.any());
    REQUIRE(board.test(cell));
    board.clear(cell);
    REQUIRE_FALSE(board.any());
  }
}

TEST_CASE_TEMPLATE("Board: set operations", Size, Words<2>, Words<4>, Words<64>) {
  constexpr int W = Size::value;
  Random random(3);
  const Pair<W> a(random, 40), b(random, 60);
  for (int cell = 0; cell < 64 * W; ++cell) {
    const bool in_a = a.board.test(cell), in_b = b.board.test(cell);
    REQUIRE((a.board | b.board).test(cell) == (in_a || in_b));
    REQUIRE((a.board & b.board).test(cell) == (in_a && in_b));
    REQUIRE((a.board - b.board).test(cell) == (in_a && !in_b));
  }
  Board<W> copy = a.board;
  CHECK(copy == a.board);
  int one = 0;
  while (!a.board.test(one)) ++one;
  copy.clear(one);
  CHECK_FALSE(copy == a.board);
  copy |= Board<W>::single(one);
  CHECK(copy == a.board);
}

}  // namespace paymaster::test
