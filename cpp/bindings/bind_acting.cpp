// One step of the networks that act. An object holds on to a network's parameters, in the arrays it was given: what
// becomes of their numbers later, a step sees. Arrays are checked with the GIL held; the step runs without it, which is
// safe because it reads arrays that this object and this call hold, and writes arrays that nobody else has yet.
#include <cstdint>
#include <vector>

#include "bindings.hpp"
#include "network_parameters.hpp"
#include "networks/acting.hpp"

namespace paymaster::bindings {
namespace {

class PyActingLeader {
 public:
  PyActingLeader(const py::dict& parameters, std::int64_t num_goals, std::int64_t num_bonuses, std::int64_t num_actions,
                 std::int64_t follower_features, std::int64_t goal_features, std::int64_t hidden)
      : parameters_(parameters),
        network_(leader_network(parameters_, num_goals, num_bonuses, num_actions, follower_features, goal_features,
                                hidden, false)) {}

  py::tuple step(const py::array& follower, const py::array& goal, const py::array& previous,
                 const py::array& history) const {
    const std::vector<py::ssize_t> games = games_of(follower, "follower");
    const LeaderWeights& w = network_.weights;
    ActingSizes sizes = network_.sizes;
    sizes.games = static_cast<std::size_t>(games[0]);
    sizes.followers = static_cast<std::size_t>(games[1]);
    py::array_t<float> log_mu(with(games, {sizes.offers})), attention(games), next(with(games, {sizes.hidden}));
    py::array_t<float> termination(w.end ? games : with({}, {0}));
    py::array_t<float> prediction(w.predict ? with(games, {sizes.actions}) : with({}, {0}));
    const LeaderStepArrays arrays{
        whole_array<float>(follower, "follower", with(games, {sizes.follower_features})),
        whole_array<float>(goal, "goal", with(games, {sizes.goals, sizes.goal_features})),
        indices(previous, "previous", games, -1, static_cast<std::int64_t>(sizes.offers) - 1),
        whole_array<float>(history, "history", with(games, {sizes.hidden})),
        log_mu.mutable_data(),
        termination.mutable_data(),
        prediction.mutable_data(),
        attention.mutable_data(),
        next.mutable_data(),
    };
    {
      py::gil_scoped_release release;
      act(w, sizes, arrays);
    }
    const py::object none = py::none();
    return py::make_tuple(log_mu, w.end ? py::object(termination) : none, w.predict ? py::object(prediction) : none,
                          attention, next);
  }

 private:
  Parameters parameters_;
  LeaderNetwork network_;
};

/// Uniform random numbers.
const float* shares(const py::array& uniform, const std::vector<py::ssize_t>& shape) {
  const float* numbers = whole_array<float>(uniform, "uniform", shape);
  for (py::ssize_t i = 0; i < uniform.size(); ++i)  // the texts are made only for one that is not
    if (!(numbers[i] >= 0.0F && numbers[i] < 1.0F)) reject("uniform", "numbers in [0, 1)", numbers[i]);
  return numbers;
}

class PyActingFollowers {
 public:
  PyActingFollowers(const py::dict& parameters, std::int64_t population, std::int64_t num_goals,
                    std::int64_t num_actions, std::int64_t own_features, std::int64_t goal_features,
                    std::int64_t hidden)
      : parameters_(parameters),
        network_(follower_network(parameters_, population, num_goals, num_actions, own_features, goal_features, hidden,
                                  false)),
        population_(population) {}

  py::array step(const py::array& own, const py::array& goal, const py::array& identity) const {
    const std::vector<py::ssize_t> games = games_of(own, "own");
    ActingSizes sizes = network_.sizes;
    sizes.games = static_cast<std::size_t>(games[0]);
    sizes.followers = static_cast<std::size_t>(games[1]);
    py::array_t<float> logits(with(games, {sizes.actions}));
    const FollowerStepArrays arrays{
        whole_array<float>(own, "own", with(games, {sizes.follower_features})),
        whole_array<float>(goal, "goal", with(games, {sizes.goals, sizes.goal_features})),
        indices(identity, "identity", games, 0, population_ - 1),
        logits.mutable_data(),
    };
    {
      py::gil_scoped_release release;
      act(network_.weights, sizes, arrays);
    }
    return logits;
  }

  py::array draw(const py::array& own, const py::array& goal, const py::array& identity, const py::object& uniform,
                 double explore) const {
    expect_range(explore, 0.0, 1.0, "explore");
    const py::array logits = step(own, goal, identity);
    const std::vector<py::ssize_t> games = games_of(own, "own");
    py::array_t<std::int64_t> action(games);
    const ActionDraws draws{static_cast<const float*>(logits.data()),
                            uniform.is_none() ? nullptr : shares(uniform.cast<py::array>(), games),
                            action.mutable_data()};
    draw_actions(draws, static_cast<std::size_t>(action.size()), network_.sizes.actions, explore);
    return action;
  }

 private:
  Parameters parameters_;
  FollowerNetwork network_;
  std::int64_t population_;
};

py::array draw_of(const py::array& log_mu, const py::object& termination_logits, const py::array& held,
                  const py::array& uniform, double explore) {
  if (log_mu.ndim() < 1 || log_mu.shape(log_mu.ndim() - 1) < 2)
    reject("log_mu", "shape (..., O) with at least 2 offers", shape_of(log_mu));
  expect_range(explore, 0.0, 1.0, "explore");
  std::vector<py::ssize_t> shape(log_mu.shape(), log_mu.shape() + log_mu.ndim());
  const float* mu = whole_array<float>(log_mu, "log_mu", shape);
  const py::ssize_t offers = shape.back();
  shape.pop_back();
  std::vector<py::ssize_t> twice{2};
  twice.insert(twice.end(), shape.begin(), shape.end());
  py::array logits;
  if (!termination_logits.is_none()) logits = termination_logits.cast<py::array>();
  py::array_t<std::int64_t> offer(shape);
  const OfferDraws draws{mu, termination_logits.is_none() ? nullptr : whole_array<float>(logits, "termination", shape),
                         indices(held, "held", shape, -1, offers - 1), shares(uniform, twice), offer.mutable_data()};
  draw_offers(draws, static_cast<std::size_t>(offer.size()), static_cast<std::size_t>(offers), explore);
  return offer;
}

}  // namespace

void bind_acting(py::module_& m) {
  py::class_<PyActingLeader>(m, "ActingLeader")
      .def(py::init<const py::dict&, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                    std::int64_t>(),
           py::arg("parameters"), py::kw_only(), py::arg("num_goals"), py::arg("num_bonuses"), py::arg("num_actions"),
           py::arg("follower_features"), py::arg("goal_features"), py::arg("hidden"))
      .def("step", &PyActingLeader::step, py::arg("follower"), py::arg("goal"), py::arg("previous"),
           py::arg("history"));
  py::class_<PyActingFollowers>(m, "ActingFollowers")
      .def(py::init<const py::dict&, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                    std::int64_t>(),
           py::arg("parameters"), py::kw_only(), py::arg("population"), py::arg("num_goals"), py::arg("num_actions"),
           py::arg("own_features"), py::arg("goal_features"), py::arg("hidden"))
      .def("step", &PyActingFollowers::step, py::arg("own"), py::arg("goal"), py::arg("identity"))
      .def("draw", &PyActingFollowers::draw, py::arg("own"), py::arg("goal"), py::arg("identity"), py::arg("uniform"),
           py::arg("explore"));
  m.def("draw_offers", &draw_of, py::arg("log_mu"), py::arg("termination_logits"), py::arg("held"), py::arg("uniform"),
        py::arg("explore"), "Offers int64 [...] of log mu [..., O].");
}

}  // namespace paymaster::bindings
