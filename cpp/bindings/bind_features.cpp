// Features of a batch's observations, which come as a dict of arrays: views of the environment's rows, used where they
// lie, or put together by hand. Types and shapes are checked here with the GIL held. The loop runs without it, which is
// safe because it reads arrays that this call holds, checks every index, and writes arrays the caller has handed over.
#include <pybind11/stl.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "batch/batch.hpp"
#include "bindings.hpp"
#include "features/features.hpp"
#include "follower_encoder.hpp"
#include "observation_fields.hpp"

namespace paymaster::bindings {
namespace {

const CallName kEncode("encode");

py::array expired_of(const py::object& observation) {
  Fields fields(observation);
  const ShapeList shape = fields.distance_shape();
  const py::ssize_t games = shape[0], n = shape[1];
  OfferFields seen;
  seen.offer = fields.take<std::int16_t>("offer", {games, n, 2});
  seen.committed = fields.take<std::int16_t>("committed", {games, n});
  seen.completed = fields.take<std::int16_t>("completed", {games, n});
  seen.distance = fields.take<std::int16_t>("distance", shape);
  py::array_t<bool> out({games, n});
  bool* to = out.mutable_data();
  {
    py::gil_scoped_release release;
    expired(seen, static_cast<std::size_t>(games), static_cast<std::size_t>(n), static_cast<int>(shape[2]), to);
  }
  return out;
}

/// The candidates of followers with these offers, int64 [B, N, C].
py::array candidates_of_followers(const py::object& observation, const std::string& offer, int near_goals) {
  Fields fields(observation);
  const ShapeList shape = fields.distance_shape();
  const py::ssize_t games = shape[0], n = shape[1];
  const Column<std::int16_t> distance = fields.take<std::int16_t>("distance", shape),
                             offered = fields.take<std::int16_t>(offer.c_str(), {games, n, 2});
  expect_range(static_cast<int>(shape[2]), 1, kMaxGoals, "observation['distance'].shape[2]");
  expect_range(near_goals, 0, kMaxGoals, "near_goals");
  const int candidates = candidates_of(near_goals, static_cast<int>(shape[2]));
  const std::vector<std::uint8_t> found =
      nearest_candidates(distance, offered, static_cast<std::size_t>(games), static_cast<std::size_t>(n),
                         static_cast<int>(shape[2]), candidates);
  py::array_t<std::int64_t> out(ShapeList{games, n, candidates});
  std::copy(found.begin(), found.end(), out.mutable_data());
  return out;
}

/// The fields that features of games of this configuration are made of; their number comes from the distances.
SeenFields seen_fields(Fields& fields, const GameConfig& config, py::ssize_t& games) {
  games = fields.distance_shape()[0];
  SeenFields seen;
  SeenFields::visit(seen, config, [&]<class T>(const char* name, Column<T>& column, Shape shape) {
    ShapeList axes{games};
    if (shape.rows > 0) axes.push_back(shape.rows);
    if (shape.columns > 0) axes.push_back(shape.columns);
    column = fields.take<T>(name, axes);
  });
  return seen;
}

/// The encoder of a batch's observations, which reads the batch's statistics table.
class PyFeatureEncoder {
 public:
  PyFeatureEncoder(const py::object& batch, bool all_goals)
      : batch_(batch), core_(core_of(batch)), all_goals_(all_goals), encoder_(core_.config(), all_goals) {}

  const FeatureEncoder& encoder() const { return encoder_; }

  py::tuple arguments() const { return py::make_tuple(batch_, all_goals_); }

  py::tuple encode(const py::object& observation) {
    Fields fields(observation);
    py::ssize_t games = 0;
    const SeenFields seen = seen_fields(fields, core_.config(), games);
    py::array_t<float> follower(follower_shape(games)), goal(goal_shape(games));
    run(seen, games, {follower.mutable_data(), goal.mutable_data(), nullptr});
    return py::make_tuple(follower, goal);
  }

  void encode_into(const py::object& observation, const py::object& follower, const py::object& goal,
                   const py::object& expired) {
    Fields fields(observation);
    py::ssize_t games = 0;
    const SeenFields seen = seen_fields(fields, core_.config(), games);
    run(seen, games,
        {expect_output<float>(follower, "follower", follower_shape(games)),
         expect_output<float>(goal, "goal", goal_shape(games)),
         expect_output<bool>(expired, "expired", {games, followers()})});
  }

 private:
  py::ssize_t followers() const { return core_.config().num_followers; }
  ShapeList follower_shape(py::ssize_t games) const { return {games, followers(), encoder_.follower_features()}; }
  ShapeList goal_shape(py::ssize_t games) const {
    return {games, followers(), encoder_.candidates(), encoder_.goal_features()};
  }

  void run(const SeenFields& seen, py::ssize_t games, const FeatureArrays& out) const {
    const CallGuard::Call call(*core_.guard(), kEncode);  // the table changes while games are played
    const HistoryTable& table = core_.statistics();
    py::gil_scoped_release release;
    encoder_.encode(seen, static_cast<std::size_t>(games), table, out);
  }

  py::object batch_;  // keeps core_ alive
  Batch& core_;
  bool all_goals_;
  FeatureEncoder encoder_;
};

/// Features in a row of an array to write to, which has room for so many at least.
py::ssize_t width_of(const py::array& array, const char* name, int features) {
  const py::ssize_t width = array.ndim() == 0 ? 0 : array.shape(array.ndim() - 1);
  if (width < features) reject(name, "room for " + std::to_string(features) + " features", shape_of(array));
  return width;
}

}  // namespace

void PyFollowerEncoder::encode_into(const py::object& observation, const py::array& own, const py::array& goal,
                                    const py::object& identity) const {
  Fields fields(observation);
  py::ssize_t games = 0;
  FollowerFields seen{seen_fields(fields, core_.config(), games), {}, {}, {}, {}, {}, {}, {}};
  const py::ssize_t n = core_.config().num_followers, goals = core_.config().num_goals,
                    candidates = encoder_.candidates();
  seen.offered = fields.take<std::int16_t>("offered", {games, n, 2});
  seen.preference = fields.take<std::int16_t>("preference", {games, n});
  seen.skill = fields.take<bool>("skill", {games, n, goals});
  seen.reservation = fields.take<float>("reservation", {games, n});
  seen.due = fields.take<float>("due", {games, n});
  if (encoder_.choosy()) {
    seen.utility = fields.take<float>("utility", {games, n, goals});
    seen.cost = fields.take<float>("cost", {games, n, goals});
  }
  const py::ssize_t own_width = width_of(own, "own", encoder_.own_features());
  const py::ssize_t goal_width = width_of(goal, "goal", encoder_.goal_features());
  const FollowerFeatureArrays out{
      {expect_output<float>(own, "own", {games, n, own_width}), static_cast<std::size_t>(own_width),
       expect_output<float>(goal, "goal", {games, n, candidates, goal_width}), static_cast<std::size_t>(goal_width)},
      expect_output<std::int64_t>(identity, "identity", {games, n})};
  const int population = core_.statistics().population;
  py::gil_scoped_release release;
  encoder_.encode(seen, static_cast<std::size_t>(games), population, out);
}

void bind_features(py::module_& m) {
  py::class_<PyFeatureEncoder>(m, "FeatureEncoder")
      .def(py::init<const py::object&, bool>(), py::arg("batch"), py::arg("all_goals") = false)
      .def("__reduce__",
           [](const py::object& self) {
             return py::make_tuple(py::type::of(self), py::cast<PyFeatureEncoder&>(self).arguments());
           })
      .def_property_readonly("candidates", [](const PyFeatureEncoder& self) { return self.encoder().candidates(); })
      .def_property_readonly("follower_features",
                             [](const PyFeatureEncoder& self) { return self.encoder().follower_features(); })
      .def_property_readonly("goal_features",
                             [](const PyFeatureEncoder& self) { return self.encoder().goal_features(); })
      .def_property_readonly("earlier_features",
                             [](const PyFeatureEncoder& self) { return self.encoder().earlier_features(); })
      .def("encode", &PyFeatureEncoder::encode, py::arg("observation"))
      .def("encode_into", &PyFeatureEncoder::encode_into, py::arg("observation"), py::arg("follower"), py::arg("goal"),
           py::arg("expired"));
  py::class_<PyFollowerEncoder>(m, "FollowerEncoder")
      .def(py::init<const py::object&, bool>(), py::arg("batch"), py::arg("all_goals") = false)
      .def("__reduce__",
           [](const py::object& self) {
             return py::make_tuple(py::type::of(self), py::cast<PyFollowerEncoder&>(self).arguments());
           })
      .def_property_readonly("candidates", [](const PyFollowerEncoder& self) { return self.encoder().candidates(); })
      .def_property_readonly("own_features",
                             [](const PyFollowerEncoder& self) { return self.encoder().own_features(); })
      .def_property_readonly("goal_features",
                             [](const PyFollowerEncoder& self) { return self.encoder().goal_features(); })
      .def("encode_into", &PyFollowerEncoder::encode_into, py::arg("observation"), py::arg("own"), py::arg("goal"),
           py::arg("identity"));
  m.attr("GOAL_FEATURES_NOW") = kGoalFeaturesNow;
  m.def("candidates", &candidates_of_followers, py::arg("observation"), py::arg("offer"), py::arg("near_goals"),
        "Goal types that networks see of each follower: int64 [B, N, C].");
  m.def("expired", &expired_of, py::arg("observation"), "Which offers have run their course: bool [B, N].");
}

}  // namespace paymaster::bindings
