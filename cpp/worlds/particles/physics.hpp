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

inline constexpr int kMaxPhysicalBodies = 192;

/// The bodies up to the last that moves or collides, an array a property; what lies behind them is 0.
struct BodyRows {
  using Row = double[kMaxPhysicalBodies];
  int count = 0;
  Row size{}, acceleration{}, max_speed{};
  Row moves{}, collides{};  // 1: it does
};

/// Moves up to kMaxBodies bodies. Positions and velocities are the caller's, [bodies][2], in the order of the types;
/// the order matters, for it is that of mpe2's sums (its agents, then its landmarks).
template <class Real>
class ParticlePhysics {
 public:
  static constexpr int kMaxBodies = kMaxPhysicalBodies;

  /// Throws std::invalid_argument when there are too many bodies or a type makes no sense.
  explicit ParticlePhysics(std::vector<BodyType<Real>> bodies);

  /// One step of mpe2's World.step. actions[i] is body i's ParticleAction; those of immovable bodies are ignored.
  void step(Real (*position)[2], Real (*velocity)[2], const std::uint8_t* actions) const;

  int bodies() const { return static_cast<int>(bodies_.size()); }
  const BodyType<Real>& type(int body) const { return bodies_[static_cast<std::size_t>(body)]; }

 private:
  using Vector = Real[2];
  // float32, plainly; float64 is in cpp/worlds/particles/body_lanes.hpp.
  /// The forces of actions and contacts, each a sum in mpe2's order of pairs.
  void add_up(const Vector* position, const std::uint8_t* actions, Vector* force) const;
  static void move(Vector& position, Vector& velocity, const Vector& force, Real limit);

  std::vector<BodyType<Real>> bodies_;
  BodyRows rows_;
};

extern template class ParticlePhysics<double>;
extern template class ParticlePhysics<float>;

}  // namespace paymaster
