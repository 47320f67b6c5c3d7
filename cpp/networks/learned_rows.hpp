// Layers with their gradients, on rows (rows.hpp). Local to the file that includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "networks/rows.hpp"

namespace paymaster {
namespace {

/// A layer, or parts of several that go over the same input, side by side.
class LearnedRows {
 public:
  LearnedRows(std::size_t inputs, std::size_t outputs, const Gradients& gradients)
      : gradients_(gradients), inputs_(inputs), outputs_(outputs) {}
  /// Not `padded_input`: what it learns from are rows of somebody's array, which end with their last number.
  LearnedRows(const Layer& layer, const Gradients& gradients, bool padded_input = true)
      : LearnedRows(layer.inputs, layer.outputs, gradients) {
    padded_input_ = padded_input;
    if (layer) place(layer);
  }
  /// Of an input that is two rows of `half` numbers side by side.
  LearnedRows(const Layer& layer, std::size_t half, const Gradients& gradients)
      : LearnedRows(2 * padded(half), layer.outputs, gradients) {
    if (layer)
      place({layer, 0, layer.outputs, 0, 0, half, 0}), place({layer, 0, layer.outputs, 0, half, half, padded(half)});
  }

  /// Outputs first_output..., as many as `outputs`, which are to be `output`...; and of inputs likewise. Without inputs
  /// it is the bias that is added.
  struct Part {
    Layer layer;
    std::size_t first_output, outputs, output;
    std::size_t first_input, inputs, input;
  };
  void place(const Part& part) {
    parts_.push_back(part);
    biased_ = biased_ || biased(part);
    forward_.grow(inputs_, outputs_), back_.grow(outputs_, inputs_), bias_.grow(1, outputs_);
    bias_sums_.grow(1, outputs_);
    if (narrow()) sums_.grow(outputs_, inputs_);
    else sums_.grow(inputs_, outputs_), turned_.grow(padded(outputs_), inputs_);
  }
  void place(const Layer& layer) { place({layer, 0, layer.outputs, 0, 0, layer.inputs, 0}); }

  explicit operator bool() const { return !parts_.empty(); }
  std::size_t inputs() const { return inputs_; }
  std::size_t outputs() const { return outputs_; }
  const float* bias() const { return bias_[0]; }

  /// The weights, which have changed.
  void read() {
    bias_.clear();
    for (const Part& part : parts_) {
      const Layer& layer = part.layer;
      const float* weight = layer.weight + part.first_output * layer.inputs + part.first_input;
      if (part.inputs > 0)
        transpose(weight, layer.inputs, part.outputs, part.inputs, forward_[part.input] + part.output,
                  forward_.stride());
      for (std::size_t i = 0; i < part.outputs; ++i)
        std::copy_n(weight + i * layer.inputs, part.inputs, back_[part.output + i] + part.input);
      if (!biased(part)) continue;
      for (std::size_t i = 0; i < part.outputs; ++i) bias_[0][part.output + i] += layer.bias[part.first_output + i];
    }
  }
  /// Hands over what learn() has added up.
  void finish() {
    if (parts_.empty()) return;
    ConstRows sums = sums_;
    if (!narrow()) {
      transpose(sums_[0], sums_.stride(), inputs_, sums_.stride(), turned_[0], turned_.stride());
      sums = turned_;
    }
    for (const Part& part : parts_) {
      const Layer& layer = part.layer;
      float* weight = gradients_.of(layer.weight) + part.first_output * layer.inputs + part.first_input;
      const auto plus = []<class W>(W sum, W one) { return sum + one; };
      for (std::size_t i = 0; i < part.outputs; ++i, weight += layer.inputs)
        map(part.inputs, weight, plus, weight, sums[part.output + i] + part.input);
      if (!biased(part)) continue;
      float* bias = gradients_.of(layer.bias) + part.first_output;
      map(part.outputs, bias, plus, bias, bias_sums_[0] + part.output);
    }
    sums_.clear(), bias_sums_.clear();
  }

  /// y = W x + b
  template <class Finish = AsItIs>
  void apply(ConstRows x, Rows y, std::size_t rows, const Finish& finish = {}) const {
    product<false>(x, forward_, ConstRows{bias_[0], 0}, y, rows, inputs_, outputs_, finish);
  }
  /// y = W x + start, which says where each row begins
  template <class Finish = AsItIs>
  void apply(const float* const* start, ConstRows x, Rows y, std::size_t rows, const Finish& finish = {}) const {
    product<false>(x, forward_, start, y, rows, inputs_, outputs_, finish);
  }
  /// y += W x
  template <class Finish = AsItIs>
  void add(ConstRows x, Rows y, std::size_t rows, const Finish& finish = {}) const {
    product<false>(x, forward_, ConstRows(y), y, rows, inputs_, outputs_, finish);
  }
  /// dx = W^T dy
  template <class Finish = AsItIs>
  void back(ConstRows dy, Rows dx, std::size_t rows, const Finish& finish = {}) const {
    product<false>(dy, back_, ConstRows{zeros_[0], 0}, dx, rows, outputs_, inputs_, finish);
  }
  /// That of the inputs from `first` on alone, as many lines as `count` take.
  void back(ConstRows dy, Rows dx, std::size_t rows, std::size_t first, std::size_t count) const {
    product<false>(dy, ConstRows(back_).from(0, first), ConstRows{zeros_[0], 0}, dx, rows, outputs_, count);
  }
  /// dx += W^T dy
  template <class Finish = AsItIs>
  void add_back(ConstRows dy, Rows dx, std::size_t rows, const Finish& finish = {}) const {
    product<false>(dy, back_, ConstRows(dx), dx, rows, outputs_, inputs_, finish);
  }
  /// Adds up the gradients of the weights.
  void learn(ConstRows dy, ConstRows x, std::size_t rows) {
    if (narrow()) product<true>(dy, x, ConstRows(sums_), sums_, outputs_, rows, inputs_);
    else product<true>(x, dy, ConstRows(sums_), sums_, inputs_, rows, outputs_);
    if (biased_) add_rows(dy, rows, outputs_, bias_sums_[0]);
  }

 private:
  /// Whether its outputs do not fill a line: then the inputs go through the registers.
  bool narrow() const { return padded_input_ && outputs_ < padded(1) && padded(inputs_) > padded(1); }
  static bool biased(const Part& part) {
    return part.layer.bias != nullptr && (part.first_input == 0 || part.inputs == 0);
  }

  const Gradients& gradients_;
  std::size_t inputs_, outputs_;
  bool padded_input_ = true, biased_ = false;
  std::vector<Part> parts_;
  RowRoom forward_, back_, bias_;      // [inputs, outputs], [outputs, inputs], [1, outputs]
  RowRoom sums_, bias_sums_, turned_;  // gradients; turned: [outputs, inputs]
  RowRoom zeros_{1, std::max(inputs_, outputs_)};
};

}  // namespace
}  // namespace paymaster
