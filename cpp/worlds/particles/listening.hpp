// How far bodies hear, and whether what they did not hear can have mattered, four at a time.
//
// Contact forces fade by e for every kContactMargin between two bodies, and most are too small to change a velocity by as
// much as its last bit. So a body listens only to contacts within its range: everything beyond adds up to less than 2^-75
// of its loudness, kMaxBodies others or fewer.
#pragma once

#include <limits>

#include "simd/lanes.hpp"
#include "worlds/particles/contact.hpp"

namespace paymaster {
namespace {

/// What of the bodies a step needs, a row a property; behind the last body, what is there up to a multiple of four is
/// nowhere.
struct Hearing {
  using Row = double[ParticlePhysics<double>::kMaxBodies];
  using Pairs = double[ParticlePhysics<double>::kMaxBodies][2];
  Row x, y;           // of what does not collide: infinity
  Row loudness;       // the least, over both axes, of the action's force or (without one) the velocity / time step
  Row range;          // between surfaces; of what does not move -1
  Pairs force;        // of the action, then the sum, along each axis
  Pairs least, most;  // of |force| on the way to the sum, without a 0 before the first contact
};

/// Of bodies first..first+3, with these forces and velocities: loudness and range, and least and most before the first
/// contact.
inline void listen(Hearing& h, int first, Lanes force_x, Lanes force_y, Lanes velocity_x, Lanes velocity_y,
                   Mask moves) {
  const Lanes silent = all(kSilent<double>), zero = all(0);
  force_x = magnitude(force_x);
  force_y = magnitude(force_y);
  const Mask pushes_x = force_x > zero, pushes_y = force_y > zero;
  // 4 |v| is less than the velocity that damping leaves / time step.
  const Lanes loud_x = select(pushes_x, force_x, magnitude(velocity_x) * all(4));
  const Lanes loud_y = select(pushes_y, force_y, magnitude(velocity_y) * all(4));
  const Lanes loudness = least_of(loud_x, loud_y), exponent = exponent_bits(loudness);
  // log(kMaxBodies * kContactForce * kContactMargin * 2^75 / loudness), rounded up
  const Lanes fading = all(55) + all(0.69315) * (all(1023) - exponent);
  const Lanes heard = least_of(silent, most_of(fading, zero) * all(kContactMargin));
  const Lanes never = all(std::numeric_limits<double>::infinity());
  store(loudness, h.loudness + first);
  store(select(moves, select(exponent > zero, heard, silent), all(-1)), h.range + first);
  store_pairs(select(pushes_x, force_x, never), select(pushes_y, force_y, never), h.least + first);
  store_pairs(force_x, force_y, h.most + first);
}

/// Of bodies first..first+3 with these velocities, a bit each: whether what was not heard may have made a difference.
/// Beside a sum that never fell below 2^-20 of the loudness it is rounded away term by term. A sum that never rose above
/// that is uncertain, by its roundings and by what was not heard, by less than 2^-63 of the loudness in all; then both
/// ends must give the same velocity.
inline unsigned uncertain(const Hearing& h, int first, Lanes velocity_x, Lanes velocity_y) {
  const Lanes loudness = load(h.loudness + first), loud = loudness * all(0x1p-20), doubt = loudness * all(0x1p-63);
  Lanes least_x, least_y, most_x, most_y, force_x, force_y;
  load_pairs(h.least + first, least_x, least_y);
  load_pairs(h.most + first, most_x, most_y);
  load_pairs(h.force + first, force_x, force_y);
  const auto doubtful = [&](Lanes least, Lanes most, Lanes sum, Lanes velocity) {
    const Lanes left = velocity * all(1 - kDamping), dt = all(kTimeStep);
    const Lanes low = left + (sum - doubt) * dt, high = left + (sum + doubt) * dt;
    return (least < loud) & ((most >= loud) | (low < high) | (high < low));
  };
  return bits((load(h.range + first) < all(kSilent<double>)) &
              (doubtful(least_x, most_x, force_x, velocity_x) | doubtful(least_y, most_y, force_y, velocity_y)));
}

}  // namespace
}  // namespace paymaster
