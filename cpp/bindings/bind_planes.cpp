// Planes of a batch's observations, and M3RL's performance history of its games. As in bind_features.cpp, types and shapes
// are checked with the GIL held.
#include <string>

#include "batch/batch.hpp"
#include "bindings.hpp"
#include "features/features.hpp"
#include "features/performance.hpp"
#include "features/planes.hpp"
#include "observation_fields.hpp"

namespace paymaster::bindings {
namespace {

template <class Seen>
void take_identity(Fields& fields, const GameConfig& config, const ShapeList& shape, Seen& seen) {
  if (wide_identities(config.population_size)) seen.wide_identity = fields.take<std::int32_t>("identity", shape);
  else seen.identity = fields.take<std::int16_t>("identity", shape);
}

/// The encoder of a batch's observations as planes.
class PyPlaneEncoder {
 public:
  PyPlaneEncoder(const py::object& batch, bool see_others)
      : batch_(batch), config_(core_of(batch).config()), see_others_(see_others), encoder_(config_, see_others) {}

  const PlaneEncoder& encoder() const { return encoder_; }
  py::tuple arguments() const { return py::make_tuple(batch_, see_others_); }

  void encode_into(const py::object& observation, const py::object& follower, const py::object& expired_out) const {
    Fields fields(observation);
    py::ssize_t games = 0;
    const PlaneFields seen = take(fields, games);
    OfferFields offers;
    offers.offer = fields.take<std::int16_t>("offer", {games, followers(), 2});
    offers.committed = fields.take<std::int16_t>("committed", {games, followers()});
    offers.completed = fields.take<std::int16_t>("completed", {games, followers()});
    offers.distance = fields.take<std::int16_t>("distance", {games, followers(), config_.num_goals});
    float* out = expect_output<float>(follower, "follower", {games, followers(), encoder_.follower_features()});
    bool* over = expect_output<bool>(expired_out, "expired", {games, followers()});
    py::gil_scoped_release release;
    encoder_.encode(seen, static_cast<std::size_t>(games), out);
    expired(offers, static_cast<std::size_t>(games), static_cast<std::size_t>(followers()), config_.num_goals, over);
  }

  py::array planes(const py::object& observation) const {
    Fields fields(observation);
    py::ssize_t games = 0;
    const PlaneFields seen = take(fields, games);
    const PlaneWorld& world = encoder_.world();
    py::array_t<float> out(ShapeList{games, followers(), encoder_.planes(), world.rows, world.columns});
    float* to = out.mutable_data();
    py::gil_scoped_release release;
    encoder_.expand(seen, static_cast<std::size_t>(games), to);
    return out;
  }

 private:
  py::ssize_t followers() const { return config_.num_followers; }

  PlaneFields take(Fields& fields, py::ssize_t& games) const {
    games = fields.distance_shape()[0];
    const py::ssize_t n = followers();
    const PlaneWorld& world = encoder_.world();
    PlaneFields seen;
    take_identity(fields, config_, {games, n}, seen);
    seen.action = fields.take<std::int16_t>("action", {games, n});
    seen.position = fields.take<std::int16_t>("position", {games, n, 2});
    seen.heading = fields.take<std::int16_t>("heading", {games, n});
    seen.object_type = fields.take<std::int16_t>(world.object_type.c_str(), {games, world.objects});
    seen.object_position = fields.take<std::int16_t>(world.object_position.c_str(), {games, world.objects, 2});
    if (world.amounts > 0) seen.amount = fields.take<std::int16_t>(world.amount.c_str(), {games, world.amounts});
    return seen;
  }

  py::object batch_;  // keeps config_ alive
  const GameConfig& config_;
  bool see_others_;
  PlaneEncoder encoder_;
};

void record(const py::object& batch, const py::object& observation, const py::dict& arrays) {
  Batch& core = core_of(batch);
  const GameConfig& config = core.config();
  const py::ssize_t games = core.batch_config().num_envs, n = config.num_followers, people = config.population_size,
                    goals = config.num_goals;
  Fields fields(observation);
  PerformanceFields seen;
  take_identity(fields, config, {games, n}, seen);
  seen.offer = fields.take<std::int16_t>("offer", {games, n, 2});
  seen.committed = fields.take<std::int16_t>("committed", {games, n});
  seen.completed = fields.take<std::int16_t>("completed", {games, n});
  seen.step = fields.take<std::int16_t>("step", {games});
  const auto counts = [&](const char* name, const ShapeList& shape) {
    return expect_output<std::int16_t>(arrays[name], name, shape);
  };
  const PerformanceArrays out{
      expect_output<float>(arrays["acceptance"], "acceptance", {people, goals, config.num_bonuses}),
      expect_output<float>(arrays["success"], "success", {people, goals, config.horizon}), counts("goal", {games, n}),
      counts("steps", {games, n}), counts("clock", {games})};
  record_performance(seen,
                     {static_cast<std::size_t>(games), config.num_followers, config.population_size, config.num_goals,
                      config.num_bonuses, config.horizon},
                     core.statistics().frozen, out);
}

}  // namespace

void bind_planes(py::module_& m) {
  py::class_<PyPlaneEncoder>(m, "PlaneEncoder")
      .def(py::init<const py::object&, bool>(), py::arg("batch"), py::arg("see_others") = false)
      .def("__reduce__",
           [](const py::object& self) {
             return py::make_tuple(py::type::of(self), py::cast<PyPlaneEncoder&>(self).arguments());
           })
      .def_property_readonly("rows", [](const PyPlaneEncoder& self) { return self.encoder().world().rows; })
      .def_property_readonly("columns", [](const PyPlaneEncoder& self) { return self.encoder().world().columns; })
      .def_property_readonly("cell_planes", [](const PyPlaneEncoder& self) { return self.encoder().cell_planes(); })
      .def_property_readonly("constant_planes",
                             [](const PyPlaneEncoder& self) { return self.encoder().constant_planes(); })
      .def_property_readonly("follower_features",
                             [](const PyPlaneEncoder& self) { return self.encoder().follower_features(); })
      .def("encode_into", &PyPlaneEncoder::encode_into, py::arg("observation"), py::arg("follower"), py::arg("expired"))
      .def("planes", &PyPlaneEncoder::planes, py::arg("observation"));
  m.def("record_performance", &record, py::arg("batch"), py::arg("observation"), py::arg("arrays"),
        "Brings M3RL's performance history of a batch up to date with a step.");
}

}  // namespace paymaster::bindings
