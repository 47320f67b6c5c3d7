#include "paymaster/physics/particles.hpp"

#include <algorithm>
#include <cmath>

#include "../processor.hpp"
#include "avx2_earshot.hpp"
#include "listening.hpp"
#include "paymaster/check.hpp"

namespace paymaster {
namespace {

/// numpy.logaddexp(0, x), branch by branch.
template <class Real>
Real log_one_plus_exp(Real x) {
  if (x == 0) return static_cast<Real>(0.693147180559945309417232121458176568);
  const Real tail = std::exp(x < 0 ? x : -x);
  // log1p returns its argument there (the C library does, too), so the call can be saved.
  const Real log = tail < static_cast<Real>(0x1p-60) ? tail : std::log1p(tail);
  return x < 0 ? log : x + log;
}

template <class Real>
void push(Real by, Real& force, Real& least, Real& most) {
  force = by + force;
  const Real size = std::abs(force);
  least = std::min(least, size);
  most = std::max(most, size);
}

/// See listening.hpp. In float32 bodies hear everything.
template <class Real>
void hear(Colliders<Real>& c) {
  if constexpr (sizeof(Real) == sizeof(double)) {
    has_avx2() ? avx2_listen(c) : listen(c);
  } else {
    std::fill_n(c.range, c.count, kSilent<Real>);
    for (Real* row : {c.least_x, c.least_y, c.most_x, c.most_y}) std::fill_n(row, c.count, Real(0));
  }
}

template <class Real>
unsigned doubtful(const Colliders<Real>& c, int first) {
  if constexpr (sizeof(Real) == sizeof(double)) return has_avx2() ? avx2_uncertain(c, first) : uncertain(c, first);
  else return 0;
}

/// The pairs of colliders of which one hears the other: see avx2_earshot.hpp.
template <class Real>
int earshot(const Colliders<Real>& c, ColliderPair* pairs) {
  if constexpr (sizeof(Real) == sizeof(double)) {
    if (has_avx2()) return avx2_earshot(c, pairs);
  }
  int found = 0;  // without a branch, for most are far
  for (int i = 0; i < c.count; ++i) {
    for (int j = i + 1; j < c.count; ++j) {
      const Real away_x = c.x[i] - c.x[j], away_y = c.y[i] - c.y[j];
      const Real far = c.size[i] + c.size[j] + std::max(c.range[i], c.range[j]);
      pairs[found] = {static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(j)};
      found += away_x * away_x + away_y * away_y <= far * far;
    }
  }
  return found;
}

/// The force of body a on the first of two bodies at distance (x, y) from each other, along each axis.
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

template <class Real>
ParticlePhysics<Real>::ParticlePhysics(std::vector<BodyType<Real>> bodies) : bodies_(std::move(bodies)) {
  expect(bodies_.size() <= kMaxBodies, "bodies", "at most " + std::to_string(kMaxBodies), bodies_.size());
  for (int i = 0; i < this->bodies(); ++i) {
    const BodyType<Real>& body = type(i);
    expect_range(body.size, Real(0), Real(1e6), "size");
    expect_range(body.acceleration, Real(0), Real(1e6), "acceleration");
    expect(body.max_speed > 0, "max_speed", "a positive number, or infinity for none", body.max_speed);
    if (body.collides) colliders_.push_back({body.size, i, body.movable});
    if (body.movable) movers_.push_back(i);
  }
}

template <class Real>
void ParticlePhysics<Real>::act(std::uint8_t action, int body, Vector& force) const {
  force[0] = static_cast<Real>(kPush[action][0]) * type(body).acceleration;
  force[1] = static_cast<Real>(kPush[action][1]) * type(body).acceleration;
}

template <class Real>
void ParticlePhysics<Real>::forces(const Vector* position, const Vector* velocity, const std::uint8_t* actions,
                                   Vector* force) const {
  for (const int i : movers_) act(actions[i], i, force[i]);
  Colliders<Real> c;
  line_up(position, velocity, force, c);
  ColliderPair pairs[kMaxBodies * (kMaxBodies - 1) / 2 + 1];  // what is written behind the last one is not read
  const int found = earshot(c, pairs);
  for (int f = 0; f < found; ++f) {
    const int i = pairs[f].first, j = pairs[f].second;
    if (!colliders_[i].movable && !colliders_[j].movable) continue;
    const Real x = c.x[i] - c.x[j], y = c.y[i] - c.y[j];
    const Real distance = std::sqrt(x * x + y * y), apart = distance - (c.size[i] + c.size[j]);
    const Contact<Real> contact(x, y, distance, apart, 1);
    if (apart <= c.range[i]) {
      push(contact.x, c.force_x[i], c.least_x[i], c.most_x[i]);
      push(contact.y, c.force_y[i], c.least_y[i], c.most_y[i]);
    }
    if (apart <= c.range[j]) {
      push(-contact.x, c.force_x[j], c.least_x[j], c.most_x[j]);
      push(-contact.y, c.force_y[j], c.least_y[j], c.most_y[j]);
    }
  }
  for (int i = 0; i < c.count; ++i) {
    Vector& sum = force[colliders_[i].body];
    sum[0] = c.force_x[i];
    sum[1] = c.force_y[i];
  }
  for (int first = 0; first < c.count; first += 4) {
    const unsigned doubts = doubtful(c, first);
    for (int i = first; doubts >> (i - first) != 0 && i < c.count; ++i) {
      const int body = colliders_[i].body;
      if (!(doubts >> (i - first) & 1) || !colliders_[i].movable) continue;
      act(actions[body], body, force[body]);
      add_all_contacts(position, i, force[body]);
    }
  }
}

template <class Real>
void ParticlePhysics<Real>::line_up(const Vector* position, const Vector* velocity, const Vector* force,
                                    Colliders<Real>& c) const {
  c.count = static_cast<int>(colliders_.size());
  for (int i = 0; i < c.count; ++i) {
    const Collider& a = colliders_[i];
    c.x[i] = position[a.body][0];
    c.y[i] = position[a.body][1];
    c.size[i] = a.size;
    c.force_x[i] = a.movable ? force[a.body][0] : Real(0);
    c.force_y[i] = a.movable ? force[a.body][1] : Real(0);
    c.velocity_x[i] = a.movable ? velocity[a.body][0] : Real(0);
    c.velocity_y[i] = a.movable ? velocity[a.body][1] : Real(0);
  }
  for (int i = c.count; i % 4 != 0; ++i) {
    c.x[i] = c.y[i] = std::numeric_limits<Real>::infinity();
    c.size[i] = c.force_x[i] = c.force_y[i] = c.velocity_x[i] = c.velocity_y[i] = 0;
  }
  hear(c);
  for (int i = 0; i < c.count; ++i)
    if (!colliders_[i].movable) c.range[i] = Real(-1);
}

template <class Real>
void ParticlePhysics<Real>::add_all_contacts(const Vector* position, int collider, Vector& force) const {
  const Collider& a = colliders_[collider];
  for (int j = 0; j < static_cast<int>(colliders_.size()); ++j) {
    const Collider& b = colliders_[j];
    const Real x = position[a.body][0] - position[b.body][0], y = position[a.body][1] - position[b.body][1];
    const Real distance = std::sqrt(x * x + y * y), apart = distance - (a.size + b.size);
    if (j == collider || apart > kSilent<Real>) continue;
    const Contact<Real> contact(x, y, distance, apart, collider < j ? Real(1) : Real(-1));
    force[0] = contact.x + force[0];
    force[1] = contact.y + force[1];
  }
}

template <class Real>
void ParticlePhysics<Real>::step(Real (*position)[2], Real (*velocity)[2], const std::uint8_t* actions) const {
  constexpr Real dt = static_cast<Real>(kTimeStep), kept = static_cast<Real>(1 - kDamping);
  Vector force[kMaxBodies];
  forces(position, velocity, actions, force);
  for (const int i : movers_) {
    Vector& v = velocity[i];
    for (int axis = 0; axis < 2; ++axis) {
      position[i][axis] += v[axis] * dt;  // before the velocity
      v[axis] = v[axis] * kept;
      v[axis] += force[i][axis] * dt;
    }
    const Real limit = type(i).max_speed;
    if (limit == std::numeric_limits<Real>::infinity()) continue;
    const Real speed = std::sqrt(v[0] * v[0] + v[1] * v[1]);
    if (speed > limit) {
      v[0] = v[0] / speed * limit;
      v[1] = v[1] / speed * limit;
    }
  }
}

template class ParticlePhysics<double>;
template class ParticlePhysics<float>;

}  // namespace paymaster
