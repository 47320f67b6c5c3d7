#include "worlds/grid/map.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>

#include "game/check.hpp"

namespace paymaster {
namespace {

/// The lines, without the empty ones before the first and behind the last: a text written between triple quotes has such.
std::vector<std::string_view> lines_of(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) text.remove_prefix(kByteOrderMark.size());
  text.remove_prefix(std::min(text.find_first_not_of('\n'), text.size()));
  text = text.substr(0, text.find_last_not_of('\n') + 1);
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string place(int row, int column) {
  return " at row " + std::to_string(row) + ", column " + std::to_string(column);
}

}  // namespace

const char* const GridMap::kDefault =
    "###########\n#.........#\n#.........#\n#.........#\n#.........#\n#.........#\n"
    "#.........#\n#.........#\n#.........#\n#.........#\n###########\n";

GridMap GridMap::parse(const std::string& text) {
  expect(text.size() <= kMaxText, "map", "at most " + std::to_string(kMaxText) + " characters", text.size());
  const auto lines = lines_of(text.empty() ? std::string_view(kDefault) : std::string_view(text));
  expect(!lines.empty(), "map", "at least one line of text", "none");
  GridMap map;
  map.rows = static_cast<int>(lines.size());
  map.columns = static_cast<int>(lines.front().size());
  expect(map.rows <= kMaxSide && map.columns <= kMaxSide && map.cells() <= kMaxCells, "map",
         "at most 4096 cells and 255 a side",
         std::to_string(map.rows) + " x " + std::to_string(map.columns) + " cells");
  for (int r = 0; r < map.rows; ++r) {
    const std::string_view line = lines[static_cast<std::size_t>(r)];
    expect(static_cast<int>(line.size()) == map.columns, "map", "rows of equal length " + std::to_string(map.columns),
           "row " + std::to_string(r) + " of length " + std::to_string(line.size()));
    for (int c = 0; c < map.columns; ++c) {
      const char sign = line[static_cast<std::size_t>(c)];
      const bool border = r == 0 || c == 0 || r + 1 == map.rows || c + 1 == map.columns;
      if (sign != '#' && sign != '.' && sign != ' ')
        reject("map", "'#' for wall or '.' for free", quoted(std::string(1, sign)) + place(r, c));
      if (border && sign != '#') reject("map", "a closed border of wall '#'", "a free cell" + place(r, c));
      map.free.push_back(sign != '#');
      map.row.push_back(static_cast<std::uint8_t>(r));
      map.column.push_back(static_cast<std::uint8_t>(c));
    }
  }
  for (std::size_t h = 0; h < 4; ++h) map.ahead[h] = kHeadingRow[h] * map.columns + kHeadingColumn[h];
  return map;
}

int GridMap::free_cells() const { return std::accumulate(free.begin(), free.end(), 0); }

}  // namespace paymaster
