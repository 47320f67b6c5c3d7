// Physics of the multi-particle environments (MPE) as the package mpe2 computes them, on its own: round bodies that
// accelerate by discrete actions, are damped and push each other away softly.
//
// Contacts are chaotic, so algebra that is only equal on paper drifts away from mpe2 within an episode. Every operation
// and every sum here is therefore in mpe2's order, without fused multiply-add (-ffp-contract=off); for one exception,
// two bodies on one point, mpe2 gives NaN and we push along (1, 0).
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace paymaster {

/// mpe2's discrete actions: the force along an axis. x grows to the right, y grows upwards.
enum ParticleAction : std::uint8_t { kNoop = 0, kLeft = 1, kRight = 2, kDown = 3, kUp = 4 };
inline constexpr int kParticleActions = 5;
/// Direction (x, y) of each action.
inline constexpr std::int8_t kPush[kParticleActions][2] = {{0, 0}, {-1, 0}, {1, 0}, {0, -1}, {0, 1}};

/// Constants of mpe2's World.
inline constexpr double kTimeStep = 0.1;
inline constexpr double kDamping = 0.25;
inline constexpr double kContactForce = 100.0;
inline constexpr double kContactMargin = 1e-3;

/// What a body is; its mass is 1.
template <class Real>
struct BodyType {
  Real size;          // radius
  Real acceleration;  // of an action; mpe2's sensitivity
  Real max_speed = std::numeric_limits<Real>::infinity();
  bool movable = true;
  bool collides = true;
};

template <class Real>
struct Colliders;

/// Moves up to kMaxBodies bodies. Positions and velocities are the caller's, [bodies][2], in the order of the types;
/// the order matters, for it is that of mpe2's sums (its agents, then its landmarks).
template <class Real>
class ParticlePhysics {
 public:
  static constexpr int kMaxBodies = 192;

  /// Throws std::invalid_argument when there are too many bodies or a type makes no sense.
  explicit ParticlePhysics(std::vector<BodyType<Real>> bodies);

  /// One step of mpe2's World.step. actions[i] is body i's ParticleAction; those of immovable bodies are ignored.
  void step(Real (*position)[2], Real (*velocity)[2], const std::uint8_t* actions) const;

  int bodies() const { return static_cast<int>(bodies_.size()); }
  const BodyType<Real>& type(int body) const { return bodies_[static_cast<std::size_t>(body)]; }

 private:
  using Vector = Real[2];
  struct Collider {
    Real size;
    int body;
    bool movable;
  };
  /// The forces of actions and contacts on the bodies that move, each a sum in mpe2's order of pairs.
  void forces(const Vector* position, const Vector* velocity, const std::uint8_t* actions, Vector* force) const;
  /// The colliders with the forces of their actions, and how far each hears.
  void line_up(const Vector* position, const Vector* velocity, const Vector* force, Colliders<Real>& out) const;
  /// The force of an action.
  void act(std::uint8_t action, int body, Vector& force) const;
  /// Contacts with all others, for one collider.
  void add_all_contacts(const Vector* position, int collider, Vector& force) const;

  std::vector<BodyType<Real>> bodies_;
  std::vector<Collider> colliders_;  // in the order of the bodies
  std::vector<int> movers_;
};

extern template class ParticlePhysics<double>;
extern template class ParticlePhysics<float>;

}  // namespace paymaster
