// The loops of recurrence.hpp, compiled once for every processor and once for AVX2. Everything is local to the file that
// includes it, so that no version of it ends up in code for other processors.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "networks/cell.hpp"
#include "networks/numbers.hpp"
#include "networks/product.hpp"
#include "networks/recurrence.hpp"

namespace paymaster {
namespace {

template <class Real>
void forward(const RecurrenceForward<Real>& arrays, const PackedSteps& packed) {
  const std::size_t h = packed.hidden;
  std::vector<Real> transposed(3 * h * h);
  for (std::size_t i = 0; i < 3 * h; ++i)
    for (std::size_t k = 0; k < h; ++k) transposed[k * 3 * h + i] = arrays.weight[i * h + k];
  const Real* before = arrays.start;
  std::size_t first = 0;
  for (std::size_t t = 0; t < packed.steps; ++t) {
    const auto rows = static_cast<std::size_t>(packed.sizes[t]);
    Real* gates = arrays.gates + first * 3 * h;
    for (std::size_t i = 0; i < rows; ++i) std::copy_n(arrays.bias, 3 * h, gates + i * 3 * h);
    add_product(before, transposed.data(), gates, rows, h, 3 * h);
    for (std::size_t i = 0; i < rows; ++i) {
      const std::size_t row = first + i;
      advance(arrays.x + row * 3 * h, before + i * h, h, gates + i * 3 * h, arrays.proposed + row * h,
              arrays.states + row * h);
    }
    before = arrays.states + first * h;
    first += rows;
  }
}

template <class Real>
void backward(const RecurrenceBackward<Real>& arrays, const PackedSteps& packed) {
  const std::size_t h = packed.hidden;
  std::size_t end = 0;
  for (std::size_t t = 0; t < packed.steps; ++t) end += static_cast<std::size_t>(packed.sizes[t]);
  Real* later = arrays.from_start;  // gradient of the states of the step before, as far as later ones depend on them
  std::fill_n(later, (packed.steps > 0 ? static_cast<std::size_t>(packed.sizes[0]) : 0) * h, Real{0});
  for (std::size_t t = packed.steps; t-- > 0;) {
    const auto rows = static_cast<std::size_t>(packed.sizes[t]);
    const std::size_t first = end - rows;
    const Real* old =
        t == 0 ? arrays.start : arrays.states + (first - static_cast<std::size_t>(packed.sizes[t - 1])) * h;
    for (std::size_t i = 0; i < rows; ++i) {
      const std::size_t row = first + i;
      const Real *gate = arrays.gates + row * 3 * h, *grad = arrays.grad + row * h, *n = arrays.proposed + row * h;
      Real *from_x = arrays.from_x + row * 3 * h, *from_h = arrays.from_h + row * 3 * h, *total = later + i * h;
      across<Real>(h, [&]<class W>(W, std::size_t j) {
        const W r = load<W>(gate + j), z = load<W>(gate + h + j), new_state = load<W>(n + j);
        const W here = load<W>(grad + j) + load<W>(total + j), was = load<W>(old + i * h + j);
        const W by_n = here * (1 - z) * (1 - new_state * new_state);
        const W by_r = by_n * load<W>(gate + 2 * h + j) * r * (1 - r);
        const W by_z = here * (was - new_state) * z * (1 - z);
        store(by_r, from_x + j);
        store(by_z, from_x + h + j);
        store(by_n, from_x + 2 * h + j);
        store(by_r, from_h + j);
        store(by_z, from_h + h + j);
        store(by_n * r, from_h + 2 * h + j);
        store(here * z, total + j);
        store(was, arrays.before + row * h + j);
      });
    }
    add_product(arrays.from_h + first * 3 * h, arrays.weight, later, rows, 3 * h, h);
    end = first;
  }
}

}  // namespace
}  // namespace paymaster
