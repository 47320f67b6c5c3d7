// A head of a leader that learns, over a follower's code and the offer that it holds. Local to the file that includes it
// (numbers.hpp says why).
#pragma once

#include <cstddef>
#include <vector>

#include "networks/learned_rows.hpp"
#include "networks/step_groups.hpp"

namespace paymaster {
namespace {

/// What is said of the code and the offer that is held: the logit of beta, and phi.
struct OfferHead {
  LearnedRows code;
  const float* offer;
  LearnedRows out;
  RowRoom layer = {}, said = {}, by_said = {}, biased = {};  // biased: the offers' rows, with the code's bias
  std::vector<const float*> start = {};

  void read(std::size_t offers) {
    if (!out) return;
    const std::size_t width = code.outputs();
    biased.grow(offers + 1, width);
    for (std::size_t i = 0; i <= offers; ++i)
      map(width, biased[i], []<class W>(W a, W b) { return a + b; }, offer + i * width, code.bias());
  }
  void grow(std::size_t rows, std::size_t hidden) {
    start.resize(rows);
    layer.grow(rows, hidden), said.grow(rows, out.outputs()), by_said.grow(rows, out.outputs());
  }
  static std::size_t kind(const PlayedSteps& steps, std::size_t row) {
    return static_cast<std::size_t>(steps.previous[row] + 1);
  }
  void look(const StepBlock& block, const PlayedSteps& steps, ConstRows of) {
    if (!out) return;
    block.each([&](std::size_t row, std::size_t i) { start[i] = biased[kind(steps, row)]; });
    code.apply(start.data(), of, layer, block.rows(), Rectified{});
    out.apply(layer, said, block.rows());
  }
  /// The gradients of the weights, and in `by_layer` that of the layer.
  void back(const StepBlock& block, const PlayedSteps& steps, ConstRows of, Rows by_layer, const Gradients& gradients) {
    out.learn(by_said, layer, block.rows());
    out.back(by_said, by_layer, block.rows(), WherePositive{layer});
    float* by_offer = gradients.of(offer);
    block.each([&](std::size_t row, std::size_t i) {
      float* by = by_offer + kind(steps, row) * code.outputs();
      map(code.outputs(), by, []<class W>(W sum, W one) { return sum + one; }, by, by_layer[i]);
    });
    code.learn(by_layer, of, block.rows());
  }
};

}  // namespace
}  // namespace paymaster
