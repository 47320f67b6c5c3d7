#include "worlds/particles/physics.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "game/check.hpp"
#include "simd/processor.hpp"
#include "worlds/particles/avx2_bodies.hpp"
#include "worlds/particles/body_lanes.hpp"
#include "worlds/particles/contact.hpp"

namespace paymaster {

template <class Real>
ParticlePhysics<Real>::ParticlePhysics(std::vector<BodyType<Real>> bodies) : bodies_(std::move(bodies)) {
  expect(bodies_.size() <= kMaxBodies, "bodies", "at most " + std::to_string(kMaxBodies), bodies_.size());
  for (int i = 0; i < this->bodies(); ++i) {
    const BodyType<Real>& body = type(i);
    expect_range(body.size, Real(0), Real(1e6), "size");
    expect_range(body.acceleration, Real(0), Real(1e6), "acceleration");
    expect(body.max_speed > 0, "max_speed", "a positive number, or infinity for none", body.max_speed);
    rows_.size[i] = static_cast<double>(body.size);
    rows_.acceleration[i] = static_cast<double>(body.acceleration);
    rows_.max_speed[i] = static_cast<double>(body.max_speed);
    rows_.moves[i] = body.movable;
    rows_.collides[i] = body.collides;
    if (body.movable || body.collides) rows_.count = i + 1;
  }
}

template <class Real>
void ParticlePhysics<Real>::step(Real (*position)[2], Real (*velocity)[2], const std::uint8_t* actions) const {
  if constexpr (std::is_same_v<Real, double>) {
    if (has_avx2()) avx2_move_bodies(rows_, position, velocity, actions);
    else BodyLanes(rows_, position, velocity, actions).step();
  } else {
    Vector force[kMaxBodies];
    add_up(position, actions, force);
    for (int i = 0; i < bodies(); ++i)
      if (type(i).movable) move(position[i], velocity[i], force[i], type(i).max_speed);
  }
}

template <class Real>
void ParticlePhysics<Real>::add_up(const Vector* position, const std::uint8_t* actions, Vector* force) const {
  for (int i = 0; i < bodies(); ++i) {
    for (int axis = 0; axis < 2; ++axis)
      force[i][axis] = type(i).movable ? static_cast<Real>(kPush[actions[i]][axis]) * type(i).acceleration : Real(0);
  }
  for (int i = 0; i < bodies(); ++i) {
    const BodyType<Real>& a = type(i);
    for (int j = i + 1; j < bodies() && a.collides; ++j) {
      const BodyType<Real>& b = type(j);
      if (!b.collides || !(a.movable || b.movable)) continue;
      const Real x = position[i][0] - position[j][0], y = position[i][1] - position[j][1];
      const Real distance = std::sqrt(x * x + y * y), apart = distance - (a.size + b.size);
      if (apart > kSilent<Real>) continue;
      const Contact<Real> contact(x, y, distance, apart, 1);
      force[i][0] = contact.x + force[i][0];
      force[i][1] = contact.y + force[i][1];
      force[j][0] = -contact.x + force[j][0];
      force[j][1] = -contact.y + force[j][1];
    }
  }
}

template <class Real>
void ParticlePhysics<Real>::move(Vector& position, Vector& velocity, const Vector& force, Real limit) {
  constexpr Real dt = static_cast<Real>(kTimeStep), kept = static_cast<Real>(1 - kDamping);
  for (int axis = 0; axis < 2; ++axis) {
    position[axis] += velocity[axis] * dt;  // before the velocity
    velocity[axis] = velocity[axis] * kept;
    velocity[axis] += force[axis] * dt;
  }
  const Real speed = std::sqrt(velocity[0] * velocity[0] + velocity[1] * velocity[1]);
  if (!(speed > limit)) return;
  velocity[0] = velocity[0] / speed * limit;
  velocity[1] = velocity[1] / speed * limit;
}

template class ParticlePhysics<double>;
template class ParticlePhysics<float>;

}  // namespace paymaster
