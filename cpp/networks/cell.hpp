// A GRU's cell, local to the file that includes it (numbers.hpp says why).
#pragma once

#include <cstddef>

#include "networks/numbers.hpp"

namespace paymaster {
namespace {

/// One step of `count` numbers, of one sequence or of several: each goes by itself, once the products are there.
/// `gate`, [3 count], comes with h_r, h_z and h_n side by side, and leaves with r, z and h_n.
template <class Real>
void advance(const Real* x, const Real* before, std::size_t count, Real* gate, Real* proposed, Real* state) {
  across<Real>(2 * count,
               [&]<class W>(W, std::size_t j) { store(sigmoid(load<W>(x + j) + load<W>(gate + j)), gate + j); });
  across<Real>(count, [&]<class W>(W, std::size_t j) {
    const W n = hyperbolic(load<W>(x + 2 * count + j) + load<W>(gate + j) * load<W>(gate + 2 * count + j));
    store(n, proposed + j);
    store(n + load<W>(gate + count + j) * (load<W>(before + j) - n), state + j);
  });
}

}  // namespace
}  // namespace paymaster
