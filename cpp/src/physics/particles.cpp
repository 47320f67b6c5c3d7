#include "paymaster/physics/particles.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "../processor.hpp"
#include "avx2_earshot.hpp"
#include "paymaster/check.hpp"

namespace paymaster {
namespace {

/// exp(-x) is exactly 0 from here on.
template <class Real>
constexpr Real kUnderflow = sizeof(Real) == sizeof(float) ? Real(104) : Real(746);

/// numpy.logaddexp(0, x), branch by branch.
template <class Real>
Real log_one_plus_exp(Real x) {
  if (x == 0) return static_cast<Real>(0.693147180559945309417232121458176568);
  const Real tail = std::exp(x < 0 ? x : -x);
  // log1p returns its argument there (the C library does, too), so the call can be saved.
  const Real log = tail < static_cast<Real>(0x1p-60) ? tail : std::log1p(tail);
  return x < 0 ? log : x + log;
}

/// Contacts farther than this, surface to surface, have no force at all.
template <class Real>
constexpr Real kSilent = kUnderflow<Real> * static_cast<Real>(kContactMargin);

/// How a body hears the others. Contact forces fade by e for every kContactMargin between two bodies, and most are too
/// small to change a velocity by as much as its last bit. So a body listens to what is no farther than `range`:
/// everything beyond adds up to less than 2^-75 of its loudness, kMaxBodies others or fewer.
template <class Real>
struct Hearing {
  Real range;              // between surfaces
  Real loudness;           // the least, over both axes, of its action's force or (without one) its velocity / time step
  bool pushed;             // a contact was heard
  Real least[2], most[2];  // of |force| on the way to the sum, once one was heard
};

template <class Real>
Hearing<Real> listen(const Real (&force)[2], const Real (&velocity)[2]) {
  Hearing<Real> hearing;
  // 4 |v| is less than the velocity that damping leaves / time step.
  const Real x = force[0] != 0 ? std::abs(force[0]) : std::abs(velocity[0]) * 4;
  const Real y = force[1] != 0 ? std::abs(force[1]) : std::abs(velocity[1]) * 4;
  hearing.loudness = std::min(x, y);
  hearing.pushed = false;
  hearing.range = kSilent<Real>;
  if constexpr (sizeof(Real) < sizeof(double)) return hearing;
  const auto exponent = std::bit_cast<std::int64_t>(static_cast<double>(hearing.loudness)) >> 52;
  if (exponent == 0) return hearing;
  // log(kMaxBodies * kContactForce * kContactMargin * 2^75 / loudness), rounded up
  const Real fading = Real(55) + Real(0.69315) * static_cast<Real>(static_cast<int>(1023 - exponent));
  hearing.range = std::min(kSilent<Real>, std::max(fading, Real(0)) * static_cast<Real>(kContactMargin));
  return hearing;
}

template <class Real>
void push(Real x, Real y, Real (&force)[2], Hearing<Real>& hearing) {
  const Real by[2] = {x, y};
  for (int axis = 0; axis < 2; ++axis) {
    const Real before = std::abs(force[axis]);
    if (!hearing.pushed) {
      hearing.least[axis] = before != 0 ? before : std::numeric_limits<Real>::infinity();
      hearing.most[axis] = before;
    }
    force[axis] = by[axis] + force[axis];
    hearing.least[axis] = std::min(hearing.least[axis], std::abs(force[axis]));
    hearing.most[axis] = std::max(hearing.most[axis], std::abs(force[axis]));
  }
  hearing.pushed = true;
}

/// Whether what was not heard cannot have made a difference. Beside a sum that never fell below 2^-20 of the loudness it
/// is rounded away term by term. A sum that never rose above that is uncertain, by its roundings and by what was not
/// heard, by less than 2^-63 of the loudness in all; then both ends must give the same velocity.
template <class Real>
bool certain(const Real (&force)[2], const Real (&velocity)[2], const Hearing<Real>& hearing) {
  constexpr Real dt = static_cast<Real>(kTimeStep), kept = static_cast<Real>(1 - kDamping);
  if (!hearing.pushed || hearing.range >= kSilent<Real>) return true;
  const Real loud = hearing.loudness * static_cast<Real>(0x1p-20),
             doubt = hearing.loudness * static_cast<Real>(0x1p-63);
  for (int axis = 0; axis < 2; ++axis) {
    if (hearing.least[axis] >= loud) continue;
    if (hearing.most[axis] >= loud) return false;
    const Real left = velocity[axis] * kept;
    if (left + (force[axis] - doubt) * dt != left + (force[axis] + doubt) * dt) return false;
  }
  return true;
}

/// The pairs of colliders of which one hears the other: see avx2_earshot.hpp.
template <class Real>
int earshot(int count, const Real* x, const Real* y, const Real* size, const Real* range, ColliderPair* pairs) {
  if constexpr (sizeof(Real) == sizeof(double)) {
    if (has_avx2()) return avx2_earshot(count, x, y, size, range, pairs);
  }
  int found = 0;  // without a branch, for most are far
  for (int i = 0; i < count; ++i) {
    for (int j = i + 1; j < count; ++j) {
      const Real away_x = x[i] - x[j], away_y = y[i] - y[j];
      const Real far = size[i] + size[j] + (range[i] > range[j] ? range[i] : range[j]);
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
  const int count = static_cast<int>(colliders_.size());
  Hearing<Real> hearing[kMaxBodies];
  Real at_x[kMaxBodies], at_y[kMaxBodies], range[kMaxBodies], size[kMaxBodies];  // see avx2_earshot.hpp
  for (const int i : movers_) act(actions[i], i, force[i]);
  for (int i = 0; i < count; ++i) {
    const Collider& a = colliders_[i];
    if (a.movable) hearing[i] = listen(force[a.body], velocity[a.body]);
    at_x[i] = position[a.body][0];
    at_y[i] = position[a.body][1];
    size[i] = a.size;
    range[i] = a.movable ? hearing[i].range : Real(-1);
  }
  for (int i = count; i % 4 != 0; ++i) {
    at_x[i] = at_y[i] = std::numeric_limits<Real>::infinity();
    size[i] = range[i] = 0;
  }
  ColliderPair pairs[kMaxBodies * (kMaxBodies - 1) / 2 + 1];  // what is written behind the last one is not read
  const int found = earshot(count, at_x, at_y, size, range, pairs);
  for (int f = 0; f < found; ++f) {
    const int i = pairs[f].first, j = pairs[f].second;
    const Collider &a = colliders_[i], &b = colliders_[j];
    if (!a.movable && !b.movable) continue;
    const Real x = at_x[i] - at_x[j], y = at_y[i] - at_y[j];
    const Real distance = std::sqrt(x * x + y * y), apart = distance - (size[i] + size[j]);
    const Contact<Real> contact(x, y, distance, apart, 1);
    if (apart <= range[i]) push(contact.x, contact.y, force[a.body], hearing[i]);
    if (apart <= range[j]) push(-contact.x, -contact.y, force[b.body], hearing[j]);
  }
  for (int i = 0; i < count; ++i) {
    const int body = colliders_[i].body;
    if (!colliders_[i].movable || certain(force[body], velocity[body], hearing[i])) continue;
    act(actions[body], body, force[body]);
    add_all_contacts(position, i, force[body]);
  }
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
