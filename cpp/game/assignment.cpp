#include "game/assignment.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "game/types.hpp"

namespace paymaster {

void assign(const double* value, const std::int32_t* capacity, int followers, int goals, std::int32_t* chosen) {
  // One column per place on a type, and one per follower for staying free at no cost.
  std::vector<int> type_of{kNone};  // columns are counted from 1
  for (int g = 0; g < goals; ++g) {
    const int places = std::clamp(static_cast<int>(capacity[g]), 0, followers);
    type_of.insert(type_of.end(), static_cast<std::size_t>(places), g);
  }
  type_of.insert(type_of.end(), static_cast<std::size_t>(followers), kNone);
  const std::size_t columns = type_of.size() - 1;
  const auto cost = [&](std::size_t row, std::size_t column) {
    const int type = type_of[column];
    if (type == kNone) return 0.0;
    const double v = value[(row - 1) * static_cast<std::size_t>(goals) + static_cast<std::size_t>(type)];
    return v > 0 ? -v : 1e-9;  // staying free is better than a worthless type
  };
  // Kuhn's Hungarian method with potentials: rows are matched one after the other along a cheapest augmenting path.
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<double> row_potential(static_cast<std::size_t>(followers) + 1), potential(columns + 1);
  std::vector<std::size_t> row_of(columns + 1), previous(columns + 1);
  for (std::size_t row = 1; row <= static_cast<std::size_t>(followers); ++row) {
    std::vector<double> slack(columns + 1, kInfinity);
    std::vector<bool> visited(columns + 1);
    std::size_t column = 0;
    row_of[0] = row;
    do {
      visited[column] = true;
      const std::size_t current = row_of[column];
      double step = kInfinity;
      std::size_t next = 0;
      for (std::size_t j = 1; j <= columns; ++j) {
        if (visited[j]) continue;
        const double reduced = cost(current, j) - row_potential[current] - potential[j];
        if (reduced < slack[j]) {
          slack[j] = reduced;
          previous[j] = column;
        }
        if (slack[j] < step) {
          step = slack[j];
          next = j;
        }
      }
      for (std::size_t j = 0; j <= columns; ++j) {
        if (visited[j]) {
          row_potential[row_of[j]] += step;
          potential[j] -= step;
        } else {
          slack[j] -= step;
        }
      }
      column = next;
    } while (row_of[column] != 0);
    for (; column != 0; column = previous[column]) row_of[column] = row_of[previous[column]];
  }
  for (std::size_t j = 1; j <= columns; ++j) {
    if (row_of[j] == 0) continue;
    const std::size_t k = row_of[j] - 1;
    const int type = type_of[j];
    // Among values so large that the small cost above is lost in rounding a worthless type may come up.
    const bool worth = type != kNone && value[k * static_cast<std::size_t>(goals) + static_cast<std::size_t>(type)] > 0;
    chosen[k] = worth ? type : kNone;
  }
}

}  // namespace paymaster
