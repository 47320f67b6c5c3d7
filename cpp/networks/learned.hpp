// What layers that learn need on panels (panel.hpp). Local to the file that includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cstddef>

#include "networks/panel.hpp"
#include "networks/transpose.hpp"

namespace paymaster {
namespace {

/// How wide a turned panel is: as many numbers more as products of whole registers need (numbers.hpp).
inline std::size_t padded(std::size_t rows) {
  constexpr std::size_t kMultiple = 16;
  return (rows + kMultiple - 1) / kMultiple * kMultiple;
}

/// to[columns, padded(rows)] = from[rows, columns], the other way round, and zeros beside it.
inline void turn(const float* from, std::size_t rows, std::size_t columns, float* to) {
  const std::size_t width = padded(rows);
  transpose(from, columns, rows, columns, to, width);
  for (std::size_t j = 0; rows < width && j < columns; ++j) std::fill_n(to + j * width + rows, width - rows, 0.0F);
}

/// Adds up each row of a panel.
inline void add_sums(const float* panel, std::size_t rows, std::size_t columns, float* sums) {
  for (std::size_t i = 0; i < rows; ++i) {
    float lanes[8] = {};
    const float* row = panel + i * columns;
    for (std::size_t j = 0; j + 8 <= columns; j += 8)
      for (std::size_t k = 0; k < 8; ++k) lanes[k] += row[j + k];
    float rest = 0.0F;
    for (std::size_t j = columns - columns % 8; j < columns; ++j) rest += row[j];
    for (const float lane : lanes) rest += lane;
    sums[i] += rest;
  }
}

/// Where the gradients of weights lie: as far from the first as the weights from the first parameter.
struct Gradients {
  const float* parameters;
  float* gradient;

  float* of(const float* weight) const { return weight == nullptr ? nullptr : gradient + (weight - parameters); }
};

/// dx where x > 0, else 0: back through rectify().
inline void rectify_back(const float* x, float* dx, std::size_t count) {
  map(count, dx, []<class W>(W value, W gradient) { return value > W{} ? gradient : W{}; }, x, dx);
}

}  // namespace
}  // namespace paymaster
