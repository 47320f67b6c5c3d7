// How far colliders hear, and whether what they did not hear can have mattered, four at a time; particles.cpp compiles
// this for every processor, avx2_earshot.cpp for AVX2.
//
// Contact forces fade by e for every kContactMargin between two bodies, and most are too small to change a velocity by as
// much as its last bit. So a body listens only to contacts within its range: everything beyond adds up to less than 2^-75
// of its loudness, kMaxBodies others or fewer.
#pragma once

#include <limits>

#include "../planners/lanes.hpp"
#include "paymaster/physics/particles.hpp"

namespace paymaster {

/// The bodies that collide, one behind the other; behind the last one, what is there up to a multiple of four is nowhere.
template <class Real>
struct Colliders {
  using Row = Real[ParticlePhysics<Real>::kMaxBodies];
  int count;
  Row x, y, size;
  Row force_x, force_y, velocity_x, velocity_y;
  Row loudness;  // the least, over both axes, of the action's force or (without one) the velocity / time step
  Row range;     // between surfaces; of what does not move -1
  Row least_x, least_y, most_x, most_y;  // of |force| on the way to the sum, without a 0 before the first contact
};

namespace {

/// exp(-x) is exactly 0 from here on, so contacts farther than kSilent, surface to surface, have no force at all.
template <class Real>
constexpr Real kUnderflow = sizeof(Real) == sizeof(float) ? Real(104) : Real(746);
template <class Real>
constexpr Real kSilent = kUnderflow<Real> * static_cast<Real>(kContactMargin);

/// Fills in loudness and range, and least and most before the first contact.
inline void listen(Colliders<double>& c) {
  const Lanes silent = all(kSilent<double>), zero = all(0);
  for (int i = 0; i < c.count; i += kLanes) {
    const Lanes force_x = magnitude(load(c.force_x + i)), force_y = magnitude(load(c.force_y + i));
    const Mask pushes_x = force_x > zero, pushes_y = force_y > zero;
    // 4 |v| is less than the velocity that damping leaves / time step.
    const Lanes loud_x = select(pushes_x, force_x, magnitude(load(c.velocity_x + i)) * all(4));
    const Lanes loud_y = select(pushes_y, force_y, magnitude(load(c.velocity_y + i)) * all(4));
    const Lanes loudness = least_of(loud_x, loud_y), exponent = exponent_bits(loudness);
    // log(kMaxBodies * kContactForce * kContactMargin * 2^75 / loudness), rounded up
    const Lanes fading = all(55) + all(0.69315) * (all(1023) - exponent);
    const Lanes heard = least_of(silent, most_of(fading, zero) * all(kContactMargin));
    const Lanes never = all(std::numeric_limits<double>::infinity());
    store(loudness, c.loudness + i);
    store(select(exponent > zero, heard, silent), c.range + i);
    store(select(pushes_x, force_x, never), c.least_x + i);
    store(select(pushes_y, force_y, never), c.least_y + i);
    store(force_x, c.most_x + i);
    store(force_y, c.most_y + i);
  }
}

/// Of colliders first..first+3, a bit each: whether what was not heard may have made a difference. Beside a sum that never
/// fell below 2^-20 of the loudness it is rounded away term by term. A sum that never rose above that is uncertain, by its
/// roundings and by what was not heard, by less than 2^-63 of the loudness in all; then both ends must give the same
/// velocity.
inline unsigned uncertain(const Colliders<double>& c, int first) {
  const Lanes loudness = load(c.loudness + first), loud = loudness * all(0x1p-20), doubt = loudness * all(0x1p-63);
  const auto doubtful = [&](const double* least, const double* most, const double* force, const double* velocity) {
    const Lanes left = load(velocity + first) * all(1 - kDamping), sum = load(force + first), dt = all(kTimeStep);
    const Lanes low = left + (sum - doubt) * dt, high = left + (sum + doubt) * dt;
    return (load(least + first) < loud) & ((load(most + first) >= loud) | (low < high) | (high < low));
  };
  return bits((load(c.range + first) < all(kSilent<double>)) &
              (doubtful(c.least_x, c.most_x, c.force_x, c.velocity_x) |
               doubtful(c.least_y, c.most_y, c.force_y, c.velocity_y)));
}

}  // namespace
}  // namespace paymaster
