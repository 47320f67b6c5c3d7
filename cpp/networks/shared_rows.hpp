// Layers that all followers share, on rows (rows.hpp). Their weights are stored as [inputs, outputs], as a product of rows
// takes them. Local to the file that includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cstddef>

#include "networks/acting.hpp"
#include "networks/row_sums.hpp"
#include "networks/rows.hpp"

namespace paymaster {
namespace {

/// A product's sum with a bias, rectified.
struct RectifiedWith {
  const float* bias;
  template <class W>
  W operator()(W sum, std::size_t, std::size_t column) const {
    return rectified(W(sum + load<W>(bias + column)));
  }
};

class SharedRows {
 public:
  /// Of an input that is so many rows of the same width side by side.
  explicit SharedRows(const Layer& layer, std::size_t parts = 1)
      : layer_(layer),
        part_(layer.inputs / parts),
        wide_(parts == 1 ? part_ : padded(part_)),
        weight_(parts * wide_, layer.outputs),
        bias_(1, layer.outputs) {}

  /// The weights, which have changed.
  void read() {
    for (std::size_t j = 0; j < layer_.inputs; ++j)
      copy_row(layer_.weight + j * layer_.outputs, layer_.outputs, weight_[row(j)]);
    if (layer_.bias != nullptr) copy_row(layer_.bias, layer_.outputs, bias_[0]);
  }

  const Layer& layer() const { return layer_; }
  /// Rows of the weights, and which of them the j-th input has.
  std::size_t rows() const { return layer_.inputs / part_ * wide_; }
  std::size_t row(std::size_t j) const { return j / part_ * wide_ + j % part_; }
  ConstRows weight() const { return weight_; }
  const float* bias() const { return bias_[0]; }

  /// y = f(W x + start), without the bias.
  template <class Finish = AsItIs>
  void apply(ConstRows x, ConstRows start, Rows y, std::size_t count, const Finish& finish = {}) const {
    product<false>(x, weight_, start, y, count, rows(), layer_.outputs, finish);
  }

 private:
  const Layer layer_;
  const std::size_t part_, wide_;
  RowRoom weight_, bias_;
};

/// The gradient of such a layer.
class SharedGradient {
 public:
  explicit SharedGradient(const SharedRows& layer)
      : layer_(layer),
        turned_(layer.layer().outputs, layer.rows()),
        sums_(layer.rows(), layer.layer().outputs),
        bias_sums_(1, layer.layer().outputs),
        zeros_(1, layer.rows()) {}

  /// The weights, which have changed; the sums begin anew.
  void read() {
    const ConstRows weight = layer_.weight();
    transpose(weight.first, weight.stride, layer_.rows(), layer_.layer().outputs, turned_[0], turned_.stride());
    sums_.clear(), bias_sums_.clear();
  }
  /// dx = W^T dy
  void back(ConstRows dy, Rows dx, std::size_t count) const {
    product<false>(dy, turned_, ConstRows{zeros_[0], 0}, dx, count, layer_.layer().outputs, layer_.rows());
  }
  /// Adds up the gradients of the weights.
  void learn(ConstRows dy, ConstRows x, std::size_t count) {
    product<true>(x, dy, ConstRows(sums_), sums_, layer_.rows(), count, layer_.layer().outputs);
    add_rows(dy, count, layer_.layer().outputs, bias_sums_[0]);
  }
  /// Hands over the sums.
  void finish(const Gradients& gradients) const {
    const Layer& layer = layer_.layer();
    for (std::size_t j = 0; j < layer.inputs; ++j)
      std::copy_n(sums_[layer_.row(j)], layer.outputs, gradients.of(layer.weight) + j * layer.outputs);
    std::copy_n(bias_sums_[0], layer.outputs, gradients.of(layer.bias));
  }

 private:
  const SharedRows& layer_;
  RowRoom turned_, sums_, bias_sums_, zeros_;  // turned: [outputs, inputs]
};

/// to[i] = bias + weight x[i] for the rows of whole registers, which must be there: far less work than a product, of
/// which a register's other outputs would be thrown away.
inline void dots(ConstRows x, std::size_t rows, const float* weight, std::size_t width, float bias, float* to) {
  constexpr std::size_t kLanes = kWidth<float>;
  for (std::size_t i = 0; i < rows; i += kLanes) {
    Floats some[kLanes];
    for (std::size_t k = 0; k < kLanes; ++k) {
      Floats sum{};
      for (std::size_t j = 0; j < width; j += kLanes) sum += load<Floats>(x[i + k] + j) * load<Floats>(weight + j);
      some[k] = sum;
    }
    store(Floats(sums_of(some) + bias), to + i);
  }
}

}  // namespace
}  // namespace paymaster
