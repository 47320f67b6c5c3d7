// A few games side by side, and layers on them. A feature of all their followers lies in one row, so that a layer's
// weights are used as torch stores them, and that what goes over features or followers goes over whole rows. Local to the
// file that includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "networks/acting.hpp"
#include "networks/numbers.hpp"
#include "networks/product.hpp"
#include "networks/transpose.hpp"

namespace paymaster {
namespace {

constexpr std::size_t kGames = 16;  // side by side: what add_product takes at once, or twice that

/// The games that a panel's columns stand for: follower n of the i-th of them is column n width + i.
struct Games {
  std::size_t first, count;  // of B games; count <= width, columns of those beyond are there but mean nothing
  std::size_t followers;
  std::size_t width = kGames;

  std::size_t columns() const { return followers * width; }

  /// body(row, column) for every follower: of [B, N, ...] and of panels.
  template <class Body>
  void each(Body&& body) const {
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t n = 0; n < followers; ++n) body((first + i) * followers + n, n * width + i);
  }

  /// body(column) for the columns of games that are not there.
  template <class Body>
  void each_empty(Body&& body) const {
    for (std::size_t i = count; i < width; ++i)
      for (std::size_t n = 0; n < followers; ++n) body(n * width + i);
  }
};

/// All games' turns, a few at a time.
template <class Step, class Weights, class Arrays>
void play(const Weights& weights, const ActingSizes& sizes, const Arrays& arrays) {
  if (sizes.games == 0 || sizes.followers == 0) return;
  // One game must not pay for all; but whole registers, so that a game's numbers do not depend on how many there are.
  const std::size_t least = std::max(kGames / 2, kWidth<float>), width = sizes.games > least ? kGames : least;
  Step step(weights, sizes, arrays, width);
  for (std::size_t first = 0; first < sizes.games; first += width)
    step.play(Games{first, std::min(width, sizes.games - first), sizes.followers, width});
}

/// [rows, columns]. It starts as zeros, so that games that are not there are numbers, too.
class Panel {
 public:
  Panel(std::size_t rows, std::size_t columns)
      : columns_(columns), numbers_(rows * columns), values_(std::make_unique<float[]>(rows * columns)) {}

  float* operator[](std::size_t row) { return values_.get() + row * columns_; }
  float* all() { return values_.get(); }
  const float* all() const { return values_.get(); }
  void clear() { std::fill_n(values_.get(), numbers_, 0.0F); }

 private:
  std::size_t columns_, numbers_;
  std::unique_ptr<float[]> values_;
};

/// Rows of a panel from an array [B, N, width].
inline void take(const Games& games, const float* array, std::size_t width, float* panel) {
  for (std::size_t n = 0; n < games.followers; ++n)
    transpose(array + (games.first * games.followers + n) * width, games.followers * width, games.count, width,
              panel + n * games.width, games.columns());
}

/// Rows of a panel from goals [B, N, G, D]: those of the type that each follower is offered, zeros where that is none.
inline void take_offered(const Games& games, const ActingSizes& sizes, const float* goal, const std::int64_t* offer,
                         float* panel) {
  const std::size_t columns = games.columns(), d = sizes.goal_features;
  games.each([&](std::size_t row, std::size_t column) {
    const std::size_t kind = offer[row] < 0 ? sizes.goals : static_cast<std::size_t>(offer[row]) / sizes.bonuses;
    for (std::size_t j = 0; j < d; ++j)
      panel[j * columns + column] = kind < sizes.goals ? goal[(row * sizes.goals + kind) * d + j] : 0.0F;
  });
}

/// Rows of a panel to an array [B, N, width].
inline void give(const Games& games, const float* panel, std::size_t width, float* array) {
  for (std::size_t n = 0; n < games.followers; ++n)
    transpose(panel + n * games.width, games.columns(), width, games.count,
              array + (games.first * games.followers + n) * width, games.followers * width);
}

/// Adds to each column of a panel a row of a table [., width]: the one that int64 [B, N] + `shift` says.
inline void add_rows_of(const float* table, std::size_t width, const Games& games, const std::int64_t* index,
                        std::int64_t shift, float* panel) {
  const std::size_t columns = games.columns();
  games.each([&](std::size_t row, std::size_t column) {
    const float* from = table + static_cast<std::size_t>(index[row] + shift) * width;
    for (std::size_t j = 0; j < width; ++j) panel[j * columns + column] += from[j];
  });
}

/// y += W x, x [inputs, columns] and y [outputs, columns] rows of panels.
inline void add(const Layer& layer, const float* x, float* y, std::size_t columns) {
  add_product(layer.weight, x, y, layer.outputs, layer.inputs, columns);
}

/// y = W x + b
inline void apply(const Layer& layer, const float* x, float* y, std::size_t columns) {
  for (std::size_t i = 0; i < layer.outputs; ++i)
    std::fill_n(y + i * columns, columns, layer.bias == nullptr ? 0.0F : layer.bias[i]);
  add(layer, x, y, columns);
}

/// to[j] = f(a[j], b[j], ...) for j < count.
template <class F, class... From>
inline void map(std::size_t count, float* to, F&& f, const From*... from) {
  across<float>(count, [&]<class W>(W, std::size_t j) { store(W(f(load<W>(from + j)...)), to + j); });
}

template <class W>
inline W rectified(W x) {
  return x < W{} ? W{} : x;  // a NaN stays one
}
inline void rectify(float* x, std::size_t count) {
  map(count, x, []<class W>(W value) { return rectified(value); }, x);
}

template <class W>
inline W larger(W a, W b) {
  return a > b ? a : b;
}

/// Of `count` numbers, the i-th at x + i step, their largest and the sum of e^(x - largest); `size` times, side by side.
template <class Body>
inline void over_exponentials(const float* x, std::size_t count, std::size_t step, std::size_t size, Body&& body) {
  across<float>(size, [&]<class W>(W, std::size_t j) {
    W largest = load<W>(x + j), sum{};
    for (std::size_t i = 1; i < count; ++i) largest = larger(load<W>(x + i * step + j), largest);
    for (std::size_t i = 0; i < count; ++i) sum += exponential(load<W>(x + i * step + j) - largest);
    body(j, largest, sum);
  });
}

/// log e^x / sum e^x in place, of numbers that lie as for over_exponentials().
inline void log_softmax(float* x, std::size_t count, std::size_t step, std::size_t size) {
  over_exponentials(x, count, step, size, [&]<class W>(std::size_t j, W largest, W sum) {
    const W log_sum = logarithm(sum);
    for (std::size_t i = 0; i < count; ++i) {
      float* at = x + i * step + j;
      store((load<W>(at) - largest) - log_sum, at);
    }
  });
}

/// e^x / sum e^x in place.
inline void softmax(float* x, std::size_t count, std::size_t step, std::size_t size) {
  over_exponentials(x, count, step, size, [&]<class W>(std::size_t j, W largest, W sum) {
    for (std::size_t i = 0; i < count; ++i) {
      float* at = x + i * step + j;
      store(exponential(load<W>(at) - largest) / sum, at);
    }
  });
}

}  // namespace
}  // namespace paymaster
