// A map: which cells are free. Rectangular, closed by a border of wall.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace paymaster {

/// Headings up, left, down, right (M3RL). `turn left` is +1 mod 4, `turn right` is +3.
inline constexpr std::array<int, 4> kHeadingRow = {-1, 0, 1, 0};
inline constexpr std::array<int, 4> kHeadingColumn = {0, -1, 0, 1};

/// Primitive actions of the grid, in the order in which the planner prefers them.
enum GridAction : std::uint8_t { kMove = 0, kTurnLeft = 1, kTurnRight = 2, kDig = 3, kStop = 4 };
inline constexpr int kGridActions = 5;

struct GridMap {
  int rows = 0, columns = 0;
  std::vector<std::uint8_t> free;         // [rows * columns]
  std::vector<std::uint8_t> row, column;  // [rows * columns] of a cell; a look-up is cheaper than a division
  std::array<int, 4> ahead{};             // index offset of the cell ahead, per heading

  static constexpr int kMaxCells = 4096;
  static constexpr int kMaxSide = 255;
  static constexpr std::size_t kMaxText = 65536;  // empty lines around the map are nothing

  static const char* const kDefault;  // M3RL's, 11 x 11

  /// '#' is wall, '.' or ' ' free; rows end with '\n'. A byte-order mark is skipped. An empty text is kDefault.
  /// Throws std::invalid_argument on an empty, over-long, ragged, open or too large map or an unknown character.
  static GridMap parse(const std::string& text);

  int cells() const { return rows * columns; }
  int free_cells() const;
};

}  // namespace paymaster
