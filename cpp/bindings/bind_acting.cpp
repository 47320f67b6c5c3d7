// One step of the networks that act. An object holds on to a network's parameters, in the arrays it was given: what
// becomes of their numbers later, a step sees. Arrays are checked with the GIL held; the step runs without it, which is
// safe because it reads arrays that this object and this call hold, and writes arrays that nobody else has yet.
#include <cstdint>
#include <vector>

#include "bindings.hpp"
#include "follower_encoder.hpp"
#include "network_parameters.hpp"
#include "networks/acting.hpp"

namespace paymaster::bindings {
namespace {

/// Numbers in [0, 1).
const float* uniform_numbers(const py::array& uniform, const std::vector<py::ssize_t>& shape) {
  const float* numbers = whole_array<float>(uniform, "uniform", shape);
  for (py::ssize_t i = 0; i < uniform.size(); ++i)  // the texts are made only for one that is not
    if (!(numbers[i] >= 0.0F && numbers[i] < 1.0F)) reject("uniform", "numbers in [0, 1)", numbers[i]);
  return numbers;
}

/// [2, ...]: a leader draws twice.
std::vector<py::ssize_t> twice_of(const std::vector<py::ssize_t>& shape) {
  std::vector<py::ssize_t> twice{2};
  twice.insert(twice.end(), shape.begin(), shape.end());
  return twice;
}

class PyActingLeader {
 public:
  PyActingLeader(const py::dict& parameters, std::int64_t num_goals, std::int64_t num_bonuses, std::int64_t num_actions,
                 std::int64_t follower_features, std::int64_t goal_features, std::int64_t hidden,
                 std::int64_t near_goals)
      : parameters_(parameters),
        network_(leader_network(parameters_, num_goals, near_goals, num_bonuses, num_actions, follower_features,
                                goal_features, hidden, false)) {}

  py::tuple step(const py::array& follower, const py::array& goal, const py::array& previous,
                 const py::array& history) const {
    const LeaderWeights& w = network_.weights;
    const Seen seen = see(follower, goal, previous, history);
    py::array_t<float> log_mu(with(seen.games, {seen.sizes.offers})), attention(seen.games);
    py::array_t<float> next(with(seen.games, {seen.sizes.hidden}));
    py::array_t<float> termination(w.end ? seen.games : with({}, {0}));
    py::array_t<float> prediction(w.predict ? with(seen.games, {seen.sizes.actions}) : with({}, {0}));
    LeaderStepArrays arrays = seen.arrays;
    arrays.log_mu = log_mu.mutable_data();
    arrays.termination_logits = termination.mutable_data();
    arrays.prediction_logits = prediction.mutable_data();
    arrays.attention = attention.mutable_data();
    arrays.next_history = next.mutable_data();
    {
      py::gil_scoped_release release;
      act(w, seen.sizes, arrays);
    }
    const py::object none = py::none();
    return py::make_tuple(log_mu, w.end ? py::object(termination) : none, w.predict ? py::object(prediction) : none,
                          attention, next);
  }

  py::tuple offer(const py::array& follower, const py::array& goal, const py::array& previous, const py::array& history,
                  const py::object& expired, bool opens, const py::array& uniform, double explore) const {
    const LeaderWeights& w = network_.weights;
    const Seen seen = see(follower, goal, previous, history);
    const ActingSizes& s = seen.sizes;
    expect(s.offers > 1, "num_bonuses", "at least 2 offers to draw from", s.offers);
    expect_range(explore, 0.0, 1.0, "explore");
    py::array ends_array;
    if (!expired.is_none()) ends_array = expired.cast<py::array>();
    const bool* ends = expired.is_none() ? nullptr : whole_array<bool>(ends_array, "expired", seen.games);
    const float* numbers = uniform_numbers(uniform, twice_of(seen.games));
    py::array_t<std::int64_t> offer(seen.games);
    py::array_t<float> attention(seen.games), next(with(seen.games, {s.hidden}));
    const std::size_t rows = s.games * s.followers;
    std::vector<float> log_mu(rows * s.offers), termination(w.end ? rows : 0),
        prediction(w.predict ? rows * s.actions : 0);
    std::vector<std::int64_t> held(seen.arrays.previous, seen.arrays.previous + rows);
    LeaderStepArrays arrays = seen.arrays;
    arrays.log_mu = log_mu.data();
    arrays.termination_logits = termination.data();
    arrays.prediction_logits = prediction.data();
    arrays.attention = attention.mutable_data();
    arrays.next_history = next.mutable_data();
    const OfferDraws draws{arrays.log_mu, w.end ? arrays.termination_logits : nullptr, held.data(), numbers,
                           offer.mutable_data()};
    {
      py::gil_scoped_release release;
      for (std::size_t i = 0; i < rows; ++i)
        if (opens || (ends != nullptr && ends[i])) held[i] = -1;
      act(w, s, arrays);
      draw_offers(draws, rows, s.offers, explore);
    }
    return py::make_tuple(offer, attention, next);
  }

 private:
  struct Seen {
    std::vector<py::ssize_t> games;
    ActingSizes sizes;
    LeaderStepArrays arrays;  // those that are read
  };

  Seen see(const py::array& follower, const py::array& goal, const py::array& previous,
           const py::array& history) const {
    Seen seen{games_of(follower, "follower"), network_.sizes, {}};
    ActingSizes& s = seen.sizes;
    s.games = static_cast<std::size_t>(seen.games[0]);
    s.followers = static_cast<std::size_t>(seen.games[1]);
    seen.arrays.follower = whole_array<float>(follower, "follower", with(seen.games, {s.follower_features}));
    seen.arrays.goal = whole_array<float>(goal, "goal", with(seen.games, {s.goals, s.goal_features}));
    seen.arrays.previous = indices(previous, "previous", seen.games, -1, static_cast<std::int64_t>(s.offers) - 1);
    seen.arrays.history = whole_array<float>(history, "history", with(seen.games, {s.hidden}));
    return seen;
  }

  Parameters parameters_;
  LeaderNetwork network_;
};

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
    Seen seen = see(own, goal, identity);
    py::array_t<float> logits(with(seen.games, {seen.sizes.actions}));
    seen.arrays.logits = logits.mutable_data();
    {
      py::gil_scoped_release release;
      act(network_.weights, seen.sizes, seen.arrays);
    }
    return logits;
  }

  py::array draw(const py::array& own, const py::array& goal, const py::array& identity, const py::object& uniform,
                 double explore) const {
    return drawn(see(own, goal, identity), uniform, explore);
  }

  py::array answer(const PyFollowerEncoder& encoder, const py::object& observation, const py::array& own,
                   const py::array& goal, const py::array& identity, const py::object& uniform, double explore) const {
    encoder.encode_into(observation, own, goal, identity);
    Seen seen = see(own, goal, identity);
    if (!observation.contains("acts")) reject("observation", "a field 'acts'", "none");
    const py::array acts = py::object(observation["acts"]).cast<py::array>();
    seen.arrays.acts = whole_array<bool>(acts, "observation['acts']", seen.games);
    return drawn(seen, uniform, explore);
  }

 private:
  struct Seen {
    std::vector<py::ssize_t> games;
    ActingSizes sizes;
    FollowerStepArrays arrays;  // those that are read
  };

  Seen see(const py::array& own, const py::array& goal, const py::array& identity) const {
    Seen seen{games_of(own, "own"), network_.sizes, {}};
    ActingSizes& s = seen.sizes;
    s.games = static_cast<std::size_t>(seen.games[0]);
    s.followers = static_cast<std::size_t>(seen.games[1]);
    seen.arrays.own = whole_array<float>(own, "own", with(seen.games, {s.follower_features}));
    seen.arrays.goal = whole_array<float>(goal, "goal", with(seen.games, {s.goals, s.goal_features}));
    seen.arrays.identity = indices(identity, "identity", seen.games, 0, population_ - 1);
    return seen;
  }

  py::array drawn(Seen seen, const py::object& uniform, double explore) const {
    expect_range(explore, 0.0, 1.0, "explore");
    py::array numbers;
    if (!uniform.is_none()) {
      numbers = uniform.cast<py::array>();
      seen.arrays.uniform = uniform_numbers(numbers, seen.games);
    }
    seen.arrays.explore = explore;
    py::array_t<std::int64_t> action(seen.games);
    seen.arrays.action = action.mutable_data();
    {
      py::gil_scoped_release release;
      act(network_.weights, seen.sizes, seen.arrays);
    }
    return action;
  }

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
  py::array logits;
  if (!termination_logits.is_none()) logits = termination_logits.cast<py::array>();
  py::array_t<std::int64_t> offer(shape);
  const OfferDraws draws{mu, termination_logits.is_none() ? nullptr : whole_array<float>(logits, "termination", shape),
                         indices(held, "held", shape, -1, offers - 1), uniform_numbers(uniform, twice_of(shape)),
                         offer.mutable_data()};
  draw_offers(draws, static_cast<std::size_t>(offer.size()), static_cast<std::size_t>(offers), explore);
  return offer;
}

}  // namespace

void bind_acting(py::module_& m) {
  py::class_<PyActingLeader>(m, "ActingLeader")
      .def(py::init<const py::dict&, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                    std::int64_t>(),
           py::arg("parameters"), py::kw_only(), py::arg("num_goals"), py::arg("num_bonuses"), py::arg("num_actions"),
           py::arg("follower_features"), py::arg("goal_features"), py::arg("hidden"), py::arg("near_goals") = 0)
      .def("step", &PyActingLeader::step, py::arg("follower"), py::arg("goal"), py::arg("previous"), py::arg("history"))
      .def("offer", &PyActingLeader::offer, py::arg("follower"), py::arg("goal"), py::arg("previous"),
           py::arg("history"), py::arg("expired"), py::arg("opens"), py::arg("uniform"), py::arg("explore"));
  py::class_<PyActingFollowers>(m, "ActingFollowers")
      .def(py::init<const py::dict&, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                    std::int64_t>(),
           py::arg("parameters"), py::kw_only(), py::arg("population"), py::arg("num_goals"), py::arg("num_actions"),
           py::arg("own_features"), py::arg("goal_features"), py::arg("hidden"))
      .def("step", &PyActingFollowers::step, py::arg("own"), py::arg("goal"), py::arg("identity"))
      .def("draw", &PyActingFollowers::draw, py::arg("own"), py::arg("goal"), py::arg("identity"), py::arg("uniform"),
           py::arg("explore"))
      .def("answer", &PyActingFollowers::answer, py::arg("encoder"), py::arg("observation"), py::arg("own"),
           py::arg("goal"), py::arg("identity"), py::arg("uniform"), py::arg("explore"));
  m.def("draw_offers", &draw_of, py::arg("log_mu"), py::arg("termination_logits"), py::arg("held"), py::arg("uniform"),
        py::arg("explore"), "Offers int64 [...] of log mu [..., O].");
}

}  // namespace paymaster::bindings
