// Maps given as text: what is read, and what is refused with which words.
#include "worlds/grid/map.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

namespace paymaster {
namespace {

std::string error_of(const std::string& text) {
  try {
    GridMap::parse(text);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "no error";
}

/// A closed map without inner walls.
std::string closed(int rows, int columns) {
  const auto width = static_cast<std::size_t>(columns);
  std::string text;
  for (int r = 0; r < rows; ++r) {
    const bool border = r == 0 || r + 1 == rows;
    text += border ? std::string(width, '#') : '#' + std::string(width - 2, '.') + '#';
    text += '\n';
  }
  return text;
}

}  // namespace

TEST_CASE("GridMap: no text is M3RL's map, 9 x 9 free cells in a border of wall") {
  const GridMap map = GridMap::parse("");
  CHECK(map.rows == 11);
  CHECK(map.columns == 11);
  CHECK(map.free_cells() == 81);
  CHECK(map.free == GridMap::parse(closed(11, 11)).free);
  CHECK(map.ahead == std::array<int, 4>{-11, -1, 11, 1});  // up, left, down, right
}

TEST_CASE("GridMap: cells are row-major; '.' and ' ' are free; empty lines around the map do not matter") {
  const GridMap map = GridMap::parse("\n\n####\n#. #\n####\n\n");
  CHECK(map.rows == 3);
  CHECK(map.columns == 4);
  CHECK(map.free == std::vector<std::uint8_t>{0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0});
  CHECK(map.row[6] == 1);
  CHECK(map.column[6] == 2);
  CHECK(GridMap::parse("####\n#..#\n####").free == map.free);  // without a last '\n'
}

TEST_CASE("GridMap: a byte-order mark is skipped, at the start only") {
  CHECK(GridMap::parse("\xef\xbb\xbf" + closed(4, 4)).free == GridMap::parse(closed(4, 4)).free);
  CHECK(GridMap::parse("\xef\xbb\xbf\n\n" + closed(4, 4)).rows == 4);
  CHECK(error_of("\n\xef\xbb\xbf" + closed(4, 4)) != "no error");
  CHECK(error_of("\xef\xbb\xbf") == "map: expected at least one line of text, got none");
}

TEST_CASE("GridMap: a long text is refused before it is read, a text of empty lines quickly") {
  CHECK(error_of(std::string(100'000'000, '\n')) == "map: expected at most 65536 characters, got 100000000");
  CHECK(error_of(std::string(65536, '\n')) == "map: expected at least one line of text, got none");
  CHECK(GridMap::parse(std::string(60000, '\n') + closed(4, 4)).rows == 4);
  CHECK(error_of(std::string(65536, '#')) == "map: expected at most 4096 cells and 255 a side, got 1 x 65536 cells");
}

TEST_CASE("GridMap: the largest maps") {
  CHECK(GridMap::parse(closed(64, 64)).cells() == 4096);
  CHECK(GridMap::parse(closed(16, 255)).cells() == 4080);
  CHECK(GridMap::parse(closed(255, 16)).ahead == std::array<int, 4>{-16, -1, 16, 1});
  CHECK(error_of(closed(64, 65)) == "map: expected at most 4096 cells and 255 a side, got 64 x 65 cells");
  CHECK(error_of(closed(3, 256)) == "map: expected at most 4096 cells and 255 a side, got 3 x 256 cells");
  CHECK(error_of(closed(256, 3)) == "map: expected at most 4096 cells and 255 a side, got 256 x 3 cells");
}

TEST_CASE("GridMap: errors say what and where") {
  CHECK(error_of("\n\n") == "map: expected at least one line of text, got none");
  CHECK(error_of("####\n#.#\n####") == "map: expected rows of equal length 4, got row 1 of length 3");
  CHECK(error_of("####\n\n####") == "map: expected rows of equal length 4, got row 1 of length 0");
  CHECK(error_of("####\n#.x#\n####") == "map: expected '#' for wall or '.' for free, got 'x' at row 1, column 2");
  for (const char* open : {"#.##\n#..#\n####", "####\n...#\n####", "####\n#...\n####", "####\n#..#\n##.#"})
    CHECK(error_of(open).rfind("map: expected a closed border of wall '#', got a free cell at row", 0) == 0);
  CHECK(error_of(".") == "map: expected a closed border of wall '#', got a free cell at row 0, column 0");
  CHECK(error_of("####\r\n#..#\r\n####\r\n") != "no error");
}

}  // namespace paymaster
