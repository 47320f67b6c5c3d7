// Matrices whose rows are followers' steps, and their products. A row starts with a cache line and is as long as whole
// registers need; what a row has beyond its numbers are zeros. So nothing is ever transposed but weights: the gradient of
// weights is a sum over rows, too. Local to the file that includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "networks/panel.hpp"
#include "networks/transpose.hpp"

namespace paymaster {
namespace {

/// How wide a row is: as many numbers as whole registers of every kind need.
inline std::size_t padded(std::size_t numbers) {
  constexpr std::size_t kMultiple = 16;
  return (numbers + kMultiple - 1) / kMultiple * kMultiple;
}

/// Rows in somebody's array, `stride` numbers apart.
template <class Real>
struct RowsOf {
  Real* first;
  std::size_t stride;

  Real* operator[](std::size_t row) const { return first + row * stride; }
  RowsOf from(std::size_t row, std::size_t column = 0) const { return {(*this)[row] + column, stride}; }
  operator RowsOf<const Real>() const { return {first, stride}; }
};
using Rows = RowsOf<float>;
using ConstRows = RowsOf<const float>;

/// Room for rows. It starts as zeros, and grows.
class RowRoom {
 public:
  RowRoom() = default;
  RowRoom(std::size_t rows, std::size_t width) { grow(rows, width); }

  void grow(std::size_t rows, std::size_t width) {
    stride_ = padded(width);
    if (rows * stride_ <= numbers_) return;
    numbers_ = rows * stride_;
    values_.reset(static_cast<float*>(::operator new[](numbers_ * sizeof(float), kLine)));
    std::fill_n(values_.get(), numbers_, 0.0F);
  }
  void clear() { std::fill_n(values_.get(), numbers_, 0.0F); }
  std::size_t stride() const { return stride_; }
  float* operator[](std::size_t row) { return values_.get() + row * stride_; }
  const float* operator[](std::size_t row) const { return values_.get() + row * stride_; }
  operator Rows() { return {values_.get(), stride_}; }
  operator ConstRows() const { return {values_.get(), stride_}; }
  Rows from(std::size_t row, std::size_t column = 0) { return Rows(*this).from(row, column); }

 private:
  static constexpr std::align_val_t kLine{64};
  struct Free {
    void operator()(float* values) const { ::operator delete[](values, kLine); }
  };
  std::size_t stride_ = 0, numbers_ = 0;
  std::unique_ptr<float[], Free> values_;
};

/// Where the gradients of weights lie: as far from the first as the weights from the first parameter.
struct Gradients {
  const float* parameters;
  float* gradient;

  float* of(const float* weight) const { return weight == nullptr ? nullptr : gradient + (weight - parameters); }
};

/// What becomes of a product's sum before it is stored.
struct AsItIs {
  template <class W>
  W operator()(W sum, std::size_t, std::size_t) const {
    return sum;
  }
};
struct Rectified {
  template <class W>
  W operator()(W sum, std::size_t, std::size_t) const {
    return rectified(sum);
  }
};
struct Hyperbolic {
  template <class W>
  W operator()(W sum, std::size_t, std::size_t) const {
    return hyperbolic(sum);
  }
};
/// Back through a rectifier, whose output is `x`.
struct WherePositive {
  ConstRows x;
  template <class W>
  W operator()(W sum, std::size_t row, std::size_t column) const {
    return load<W>(x[row] + column) > W{} ? sum : W{};
  }
};

/// Which number of `a` a product multiplies with row `inner` of b, for its row `row`.
template <bool Turned>
inline float factor(ConstRows a, std::size_t row, std::size_t inner) {
  return Turned ? a[inner][row] : a[row][inner];
}

/// body(0), ..., body(Count - 1), each a constant: an array that only they index is registers.
template <std::size_t Count, class Body>
inline void unrolled(Body&& body) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (body(std::integral_constant<std::size_t, I>{}), ...);
  }(std::make_index_sequence<Count>{});
}

/// Some rows and registers of product(), the sums in registers.
template <std::size_t Count, std::size_t Vectors, bool Turned, class Start, class Finish>
inline void product_tile(ConstRows a, ConstRows b, Start start, Rows out, std::size_t inner, std::size_t row,
                         std::size_t column, const Finish& finish) {
  constexpr std::size_t kLanes = kWidth<float>;
  Floats sum[Count][Vectors];
  unrolled<Count>([&](auto i) {
    const float* from = start[row + i] + column;
    unrolled<Vectors>([&](auto v) { sum[i][v] = load<Floats>(from + v * kLanes); });
  });
  a = Turned ? a.from(0, row) : a.from(row);
  const float* from = b.first + column;
  for (std::size_t k = 0; k < inner; ++k, from += b.stride) {
    Floats vector[Vectors];
    unrolled<Vectors>([&](auto v) { vector[v] = load<Floats>(from + v * kLanes); });
    unrolled<Count>([&](auto i) {
      const float one = factor<Turned>(a, i, k);
      unrolled<Vectors>([&](auto v) { sum[i][v] += one * vector[v]; });
    });
  }
  unrolled<Count>([&](auto i) {
    float* to = out[row + i] + column;
    unrolled<Vectors>([&](auto v) { store(Floats(finish(sum[i][v], row + i, column + v * kLanes)), to + v * kLanes); });
  });
}

template <std::size_t Vectors, bool Turned, class Start, class Finish>
inline void product_strip(ConstRows a, ConstRows b, Start start, Rows out, std::size_t rows, std::size_t inner,
                          std::size_t column, const Finish& finish) {
  constexpr std::size_t kMost = kWidth<float> == 16 ? 8 : 6;  // as many as there are registers for
  std::size_t i = 0;
  for (; rows - i >= kMost; i += kMost)
    product_tile<kMost, Vectors, Turned>(a, b, start, out, inner, i, column, finish);
  if (kMost > 4 && rows - i >= 4) product_tile<4, Vectors, Turned>(a, b, start, out, inner, i, column, finish), i += 4;
  if (rows - i >= 2) product_tile<2, Vectors, Turned>(a, b, start, out, inner, i, column, finish), i += 2;
  if (rows - i >= 1) product_tile<1, Vectors, Turned>(a, b, start, out, inner, i, column, finish);
}

/// out[rows, columns] = start[rows, columns] + a b, with b[inner, columns] and a[rows, inner], or a[inner, rows] where it
/// is turned. `columns` are rounded up to whole lines; `start` is rows, or an array of where each row begins.
template <bool Turned, class Start, class Finish = AsItIs>
void product(ConstRows a, ConstRows b, Start start, Rows out, std::size_t rows, std::size_t inner, std::size_t columns,
             const Finish& finish = {}) {
  constexpr std::size_t kOne = kWidth<float>;
  std::size_t j = 0;
  for (columns = padded(columns); columns - j >= 2 * kOne; j += 2 * kOne)
    product_strip<2, Turned>(a, b, start, out, rows, inner, j, finish);
  if (j < columns) product_strip<1, Turned>(a, b, start, out, rows, inner, j, finish);
}

/// to[j] = f(a[j], b[j], ...) for the registers of a row.
template <class F, class... From>
inline void map_row(std::size_t width, float* to, F&& f, const From*... from) {
  for (std::size_t j = 0; j < width; j += kWidth<float>) store(Floats(f(load<Floats>(from + j)...)), to + j);
}

/// A row of somebody's array: its last register overlaps the one before, so that nothing goes one by one.
inline void copy_row(const float* from, std::size_t count, float* to) {
  if (count < kWidth<float>) {
    for (std::size_t j = 0; j < count; ++j) to[j] = from[j];
    return;
  }
  const std::size_t last = count - kWidth<float>;
  for (std::size_t j = 0; j < last; j += kWidth<float>) store(load<Floats>(from + j), to + j);
  store(load<Floats>(from + last), to + last);
}

/// sums[columns] += all rows
inline void add_rows(ConstRows x, std::size_t rows, std::size_t columns, float* sums) {
  constexpr std::size_t kChains = 4;  // an addition takes that long
  for (std::size_t j = 0; j < columns; j += kWidth<float>) {
    Floats sum[kChains] = {};
    std::size_t i = 0;
    for (; i + kChains <= rows; i += kChains)
      for (std::size_t k = 0; k < kChains; ++k) sum[k] += load<Floats>(x[i + k] + j);
    for (; i < rows; ++i) sum[0] += load<Floats>(x[i] + j);
    store(Floats(load<Floats>(sums + j) + ((sum[0] + sum[1]) + (sum[2] + sum[3]))), sums + j);
  }
}

/// The sum of a register's numbers.
template <class W>
inline float total(W x) {
  constexpr std::size_t kLanes = sizeof(W) / sizeof(float);
  float lanes[kLanes];
  store(x, lanes);
  for (std::size_t half = kLanes / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  return lanes[0];
}

}  // namespace
}  // namespace paymaster
