// Particle physics over NumPy arrays, apart from any game.
#include <algorithm>
#include <vector>

#include "arrays.hpp"
#include "batch/call_guard.hpp"
#include "worlds/particles/config.hpp"
#include "worlds/particles/physics.hpp"

namespace paymaster::bindings {
namespace {

const CallName kSet("set"), kStep("step"), kPosition("pos"), kVelocity("vel");

/// B worlds of the same bodies: the physics on its own.
template <class Real>
class ParticleWorlds {
 public:
  ParticleWorlds(py::ssize_t num_worlds, const Array<Real>& size, const Array<Real>& acceleration,
                 const Array<Real>& max_speed, const Array<bool>& movable, const Array<bool>& collides)
      : physics_(types(size, acceleration, max_speed, movable, collides)) {
    expect(num_worlds >= 1, "num_worlds", "at least 1", num_worlds);
    worlds_ = num_worlds;
    const auto numbers = static_cast<std::size_t>(worlds_ * physics_.bodies() * 2);
    position_.assign(numbers, Real(0));
    velocity_.assign(numbers, Real(0));
  }

  void set(const Array<Real>& position, const Array<Real>& velocity) {
    const CallGuard::Call call(guard_, kSet);
    expect_pairs(position, "position", 3, worlds_, physics_.bodies());
    expect_pairs(velocity, "velocity", 3, worlds_, physics_.bodies());
    expect_numbers(position, "position");
    expect_numbers(velocity, "velocity");
    std::copy_n(position.data(), position_.size(), position_.begin());
    std::copy_n(velocity.data(), velocity_.size(), velocity_.begin());
  }

  void step(const Array<std::int64_t>& actions) {
    const CallGuard::Call call(guard_, kStep);
    const py::ssize_t bodies = physics_.bodies();
    expect(actions.ndim() == 2 && actions.shape(0) == worlds_ && actions.shape(1) == bodies, "actions",
           "shape [" + std::to_string(worlds_) + ", " + std::to_string(bodies) + "]", shape_of(actions));
    std::vector<std::uint8_t> action(static_cast<std::size_t>(actions.size()));
    for (std::size_t i = 0; i < action.size(); ++i) {
      expect_range(actions.data()[i], std::int64_t{0}, std::int64_t{kParticleActions - 1}, "actions");
      action[i] = static_cast<std::uint8_t>(actions.data()[i]);
    }
    py::gil_scoped_release release;
    for (py::ssize_t b = 0; b < worlds_; ++b) {
      const py::ssize_t first = b * bodies;
      physics_.step(reinterpret_cast<Real(*)[2]>(position_.data() + first * 2),
                    reinterpret_cast<Real(*)[2]>(velocity_.data() + first * 2), action.data() + first);
    }
  }

  py::array_t<Real> position() { return copy(position_, kPosition); }
  py::array_t<Real> velocity() { return copy(velocity_, kVelocity); }

 private:
  static std::vector<BodyType<Real>> types(const Array<Real>& size, const Array<Real>& acceleration,
                                           const Array<Real>& max_speed, const Array<bool>& movable,
                                           const Array<bool>& collides) {
    expect(size.ndim() == 1, "size", "shape [bodies]", shape_of(size));
    const auto same = [&](const py::array& array, const char* name) {
      expect(array.ndim() == 1 && array.shape(0) == size.shape(0), name,
             "shape [" + std::to_string(size.shape(0)) + "], like size", shape_of(array));
    };
    same(acceleration, "acceleration");
    same(max_speed, "max_speed");
    same(movable, "movable");
    same(collides, "collides");
    std::vector<BodyType<Real>> bodies;
    for (py::ssize_t i = 0; i < size.shape(0); ++i)
      bodies.push_back({size.at(i), acceleration.at(i), max_speed.at(i), movable.at(i), collides.at(i)});
    return bodies;
  }

  py::array_t<Real> copy(const std::vector<Real>& numbers, CallName name) {
    const CallGuard::Call call(guard_, name);
    py::array_t<Real> out({worlds_, static_cast<py::ssize_t>(physics_.bodies()), py::ssize_t{2}});
    std::copy(numbers.begin(), numbers.end(), out.mutable_data());
    return out;
  }

  CallGuard guard_;
  ParticlePhysics<Real> physics_;
  py::ssize_t worlds_ = 0;
  std::vector<Real> position_, velocity_;  // [B][bodies][2]
};

template <class Real>
void bind_worlds(py::module_& m, const char* name, const char* meaning) {
  using Worlds = ParticleWorlds<Real>;
  py::class_<Worlds>(m, name, meaning)
      .def(py::init<py::ssize_t, const Array<Real>&, const Array<Real>&, const Array<Real>&, const Array<bool>&,
                    const Array<bool>&>(),
           py::arg("num_worlds"), py::arg("size"), py::arg("acceleration"), py::arg("max_speed"), py::arg("movable"),
           py::arg("collides"), "B = num_worlds; each of the others [bodies]. max_speed inf: no limit.")
      .def("set", &Worlds::set, py::arg("position"), py::arg("velocity"), "Sets both, each [B, bodies, 2].")
      .def("step", &Worlds::step, py::arg("actions"),
           "One step; actions [B, bodies]: 0 noop, 1 left, 2 right, 3 down, 4 up (ignored for immovable bodies).")
      .def_property_readonly("pos", &Worlds::position, "Positions [B, bodies, 2], a copy.")
      .def_property_readonly("vel", &Worlds::velocity, "Velocities [B, bodies, 2], a copy.");
}

}  // namespace

void bind_particles(py::module_& m) {
  bind_worlds<double>(m, "ParticleWorld",
                      "B worlds of the same bodies under mpe2's physics, and nothing else: no goals, no borders.");
  bind_worlds<float>(m, "ParticleWorld32", "ParticleWorld in float32.");
  m.def(
      "arena_half_width",
      [](double arena_half_width, int num_followers) {
        ParticleConfig config;
        config.arena_half_width = arena_half_width;
        return config.half_width(num_followers);
      },
      py::arg("arena_half_width"), py::arg("num_followers"), "Half the side of a game's arena, of its parameters.");
}

}  // namespace paymaster::bindings
