// The force between two bodies, as mpe2 computes it.
#pragma once

#include <cmath>

#include "worlds/particles/physics.hpp"

namespace paymaster {
namespace {

/// exp(-x) is exactly 0 from here on, so contacts farther than kSilent, surface to surface, have no force at all.
template <class Real>
constexpr Real kUnderflow = sizeof(Real) == sizeof(float) ? Real(104) : Real(746);
template <class Real>
constexpr Real kSilent = kUnderflow<Real> * static_cast<Real>(kContactMargin);

/// numpy.logaddexp(0, x), branch by branch.
template <class Real>
Real log_one_plus_exp(Real x) {
  if (x == 0) return static_cast<Real>(0.693147180559945309417232121458176568);
  const Real tail = std::exp(x < 0 ? x : -x);
  // log1p returns its argument there (the C library does, too), so the call can be saved.
  const Real log = tail < static_cast<Real>(0x1p-60) ? tail : std::log1p(tail);
  return x < 0 ? log : x + log;
}

/// The force on the first of two bodies at displacement (x, y) from the second, along each axis. `apart`: from surface to
/// surface; `aside`: the direction along x where both are on one point.
template <class Real>
struct Contact {
  Real x, y;
  Contact(Real away_x, Real away_y, Real distance, Real apart, Real aside) {
    constexpr Real margin = static_cast<Real>(kContactMargin), strength = static_cast<Real>(kContactForce);
    const Real penetration = log_one_plus_exp(-apart / margin) * margin;
    const bool together = distance == 0;
    x = (together ? aside * strength : strength * away_x / distance) * penetration;
    y = (together ? Real(0) : strength * away_y / distance) * penetration;
  }
};

}  // namespace
}  // namespace paymaster
