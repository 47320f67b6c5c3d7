// Layers with their gradients, on panels (panel.hpp). Local to the file that includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

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

/// body(games, which panel) for all games, a panel of them at a time.
template <class Body>
void each_panel(const ActingSizes& sizes, Body&& body) {
  for (std::size_t panel = 0; panel * kGames < sizes.games; ++panel)
    body(Games{panel * kGames, std::min(kGames, sizes.games - panel * kGames), sizes.followers}, panel);
}

/// Where the gradients of weights lie: as far from the first as the weights from the first parameter.
struct Gradients {
  const float* parameters;
  float* gradient;

  float* of(const float* weight) const { return weight == nullptr ? nullptr : gradient + (weight - parameters); }
};

class Learned {
 public:
  Learned(const Layer& layer, const Gradients& gradients)
      : layer_(layer),
        turned_(layer.inputs * layer.outputs),
        sums_(layer.outputs * padded(layer.inputs)),
        weight_(gradients.of(layer.weight)),
        bias_(gradients.of(layer.bias)) {}

  /// The weights, which have changed.
  void read() {
    if (layer_) transpose(layer_.weight, layer_.inputs, layer_.outputs, layer_.inputs, turned_.data(), layer_.outputs);
  }
  /// Hands over what learn() has added up.
  void finish() {
    const std::size_t wide = padded(layer_.inputs);
    for (std::size_t i = 0; i < layer_.outputs; ++i)
      for (std::size_t j = 0; j < layer_.inputs; ++j) weight_[i * layer_.inputs + j] += sums_[i * wide + j];
    std::fill(sums_.begin(), sums_.end(), 0.0F);
  }
  explicit operator bool() const { return static_cast<bool>(layer_); }
  std::size_t outputs() const { return layer_.outputs; }
  const Layer& layer() const { return layer_; }
  const float* turned() const { return turned_.data(); }  // [inputs, outputs]
  float* weight_gradient() const { return weight_; }
  float* bias_gradient() const { return bias_; }

  void apply(const float* x, float* y, std::size_t columns) const { paymaster::apply(layer_, x, y, columns); }
  void add(const float* x, float* y, std::size_t columns) const { paymaster::add(layer_, x, y, columns); }

  /// Adds the gradient of x to dx, given that of y.
  void back(const float* dy, float* dx, std::size_t columns) const {
    add_product(turned_.data(), dy, dx, layer_.inputs, layer_.outputs, columns);
  }
  /// Adds up the gradients of the weights; x comes turned.
  void learn(const float* dy, const float* x_turned, std::size_t columns) {
    add_product(dy, x_turned, sums_.data(), layer_.outputs, columns, padded(layer_.inputs));
    if (bias_ != nullptr) add_sums(dy, layer_.outputs, columns, bias_);
  }

 private:
  Layer layer_;
  std::vector<float> turned_;  // the weights, [inputs, outputs]
  std::vector<float> sums_;    // their gradient, [outputs, padded(inputs)]
  float *weight_, *bias_;
};

/// dx where x > 0, else 0: back through rectify().
inline void rectify_back(const float* x, float* dx, std::size_t count) {
  map(count, dx, []<class W>(W value, W gradient) { return value > W{} ? gradient : W{}; }, x, dx);
}

/// Adds each column of a panel to a row of a table, the one that add_rows_of() has read.
inline void add_columns_to(float* table, std::size_t width, const Games& games, const std::int64_t* index,
                           std::int64_t shift, const float* panel) {
  const std::size_t columns = games.columns();
  games.each([&](std::size_t row, std::size_t column) {
    float* to = table + static_cast<std::size_t>(index[row] + shift) * width;
    for (std::size_t j = 0; j < width; ++j) to[j] += panel[j * columns + column];
  });
}

}  // namespace
}  // namespace paymaster
