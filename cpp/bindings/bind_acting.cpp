// One step of the networks that act. An object holds on to a network's parameters, in the arrays it was given: what
// becomes of their numbers later, a step sees. Arrays are checked with the GIL held; the step runs without it, which is
// safe because it reads arrays that this object and this call hold, and writes arrays that nobody else has yet.
#include <cstdint>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "networks/acting.hpp"

namespace paymaster::bindings {
namespace {

/// Parameters by name, as torch's named_parameters() has them.
class Parameters {
 public:
  explicit Parameters(const py::dict& arrays) : arrays_(arrays) {}

  bool has(const std::string& layer) const { return arrays_.contains(layer + ".weight"); }

  const float* take(const std::string& name, const std::vector<py::ssize_t>& shape) {
    if (!arrays_.contains(name)) reject("parameters", "one named '" + name + "'", "none");
    const py::object array = arrays_[py::str(name)];
    if (!py::isinstance<py::array>(array))
      throw py::type_error(name + ": expected an array, got " + py::str(py::type::of(array)).cast<std::string>());
    held_.push_back(py::reinterpret_borrow<py::array>(array));
    return whole_array<float>(held_.back(), name, shape);
  }

  Layer layer(const std::string& name, std::size_t outputs, std::size_t inputs, bool bias = true) {
    const auto rows = static_cast<py::ssize_t>(outputs), columns = static_cast<py::ssize_t>(inputs);
    const float* weight = take(name + ".weight", {rows, columns});
    return {weight, bias ? take(name + ".bias", {rows}) : nullptr, inputs, outputs};
  }
  Layer optional(const std::string& name, std::size_t outputs, std::size_t inputs, bool bias = true) {
    return has(name) ? layer(name, outputs, inputs, bias) : Layer{};
  }

  /// r, z and n of a GRU, of its inputs ("ih") or its state ("hh").
  Layer gates(const std::string& name, const std::string& of, std::size_t hidden) {
    const auto h = static_cast<py::ssize_t>(hidden);
    return {take(name + ".weight_" + of + "_l0", {3 * h, h}), take(name + ".bias_" + of + "_l0", {3 * h}), hidden,
            3 * hidden};
  }

  /// Of a population that shares them: paymaster.networks.follower_policy.IdentityLinear.
  Layer shared(const std::string& name, std::size_t outputs, std::size_t inputs) {
    const auto out = static_cast<py::ssize_t>(outputs), in = static_cast<py::ssize_t>(inputs);
    return {take(name + ".weight", {1, in, out}), take(name + ".bias", {1, out}), inputs, outputs};
  }

 private:
  py::dict arrays_;
  std::vector<py::array> held_;
};

std::size_t checked_size(std::int64_t size, const char* name) {
  expect_range<std::int64_t>(size, 1, 1 << 20, name);
  return static_cast<std::size_t>(size);
}

/// Numbers int64 [B, N], all in low..high.
const std::int64_t* indices(const py::array& array, const char* name, const std::vector<py::ssize_t>& shape,
                            std::int64_t low, std::int64_t high) {
  const std::int64_t* index = whole_array<std::int64_t>(array, name, shape);
  for (py::ssize_t i = 0; i < array.size(); ++i) expect_range(index[i], low, high, name);
  return index;
}

/// B games of N followers, of an array [B, N, ...].
std::vector<py::ssize_t> games_of(const py::array& array, const char* name) {
  if (array.ndim() != 3) reject(name, "shape (B, N, F)", shape_of(array));
  return {array.shape(0), array.shape(1)};
}

std::vector<py::ssize_t> with(std::vector<py::ssize_t> shape, std::initializer_list<std::size_t> more) {
  for (const std::size_t size : more) shape.push_back(static_cast<py::ssize_t>(size));
  return shape;
}

class PyActingLeader {
 public:
  PyActingLeader(const py::dict& parameters, std::int64_t num_goals, std::int64_t num_bonuses, std::int64_t num_actions,
                 std::int64_t follower_features, std::int64_t goal_features, std::int64_t hidden)
      : parameters_(parameters) {
    sizes_.goals = checked_size(num_goals, "num_goals");
    sizes_.bonuses = checked_size(num_bonuses, "num_bonuses");
    sizes_.follower_features = checked_size(follower_features, "follower_features");
    sizes_.goal_features = checked_size(goal_features, "goal_features");
    sizes_.hidden = checked_size(hidden, "hidden");
    const bool predicts = parameters_.has("follower_model.layers.0"), abstains = parameters_.has("policy.abstain");
    sizes_.actions = predicts ? checked_size(num_actions, "num_actions") : 0;
    sizes_.offers = sizes_.goals * sizes_.bonuses + (abstains ? 1 : 0);
    const std::size_t h = sizes_.hidden, d = sizes_.goal_features, k = sizes_.bonuses, a = sizes_.actions;
    const auto offers =
        std::vector<py::ssize_t>({static_cast<py::ssize_t>(sizes_.offers) + 1, static_cast<py::ssize_t>(h)});
    Parameters& p = parameters_;
    w_.encode_goal = p.layer("state_encoder.goal", (h + 1) / 2, d);
    w_.encode_pooled = p.layer("state_encoder.pooled", h, (h + 1) / 2, false);
    w_.encode_own = p.layer("state_encoder.own", h, sizes_.follower_features + d);
    w_.history_offer = p.take("history_encoder.offer.weight", offers);
    w_.history_input = p.gates("history_encoder.gru", "ih", h);
    w_.history_state = p.gates("history_encoder.gru", "hh", h);
    if (predicts) {
      w_.predict_hidden = p.layer("follower_model.layers.0", h, 2 * h);
      w_.predict = p.layer("follower_model.layers.2", a, h);
      w_.blend_predicted = p.layer("attention.blend_predicted", h, a, false);
    }
    w_.blend_encoded = p.layer("attention.blend_encoded", h, 2 * h);
    w_.score = p.optional("attention.score", 1, h, false);
    w_.attend_own = p.layer("attention.own", h, h);
    w_.attend_others = p.layer("attention.others", h, h, false);
    if (p.has("termination.out")) {
      w_.end_code = p.layer("termination.code", h, h);
      w_.end_offer = p.take("termination.offer.weight", offers);
      w_.end = p.layer("termination.out", 1, h);
    }
    w_.policy_code = p.layer("policy.code", h, h);
    w_.policy_goal = p.layer("policy.goal", h, d, false);
    w_.bonus = p.optional("policy.bonus", k, h);
    w_.policy = p.layer("policy.out", w_.bonus ? 1 : 1 + k, h);
    w_.abstain = p.optional("policy.abstain", 1, h);
  }

  py::tuple step(const py::array& follower, const py::array& goal, const py::array& previous,
                 const py::array& history) const {
    const std::vector<py::ssize_t> games = games_of(follower, "follower");
    ActingSizes sizes = sizes_;
    sizes.games = static_cast<std::size_t>(games[0]);
    sizes.followers = static_cast<std::size_t>(games[1]);
    py::array_t<float> log_mu(with(games, {sizes.offers})), attention(games), next(with(games, {sizes.hidden}));
    py::array_t<float> termination(w_.end ? games : with({}, {0}));
    py::array_t<float> prediction(w_.predict ? with(games, {sizes.actions}) : with({}, {0}));
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
      act(w_, sizes, arrays);
    }
    const py::object none = py::none();
    return py::make_tuple(log_mu, w_.end ? py::object(termination) : none, w_.predict ? py::object(prediction) : none,
                          attention, next);
  }

 private:
  Parameters parameters_;
  ActingSizes sizes_;
  LeaderWeights w_;
};

class PyActingFollowers {
 public:
  PyActingFollowers(const py::dict& parameters, std::int64_t population, std::int64_t num_goals,
                    std::int64_t num_actions, std::int64_t own_features, std::int64_t goal_features,
                    std::int64_t hidden)
      : parameters_(parameters), population_(population) {
    checked_size(population, "population");
    sizes_.goals = checked_size(num_goals, "num_goals");
    sizes_.actions = checked_size(num_actions, "num_actions");
    sizes_.follower_features = checked_size(own_features, "own_features");
    sizes_.goal_features = checked_size(goal_features, "goal_features");
    sizes_.hidden = checked_size(hidden, "hidden");
    const std::size_t h = sizes_.hidden;
    Parameters& p = parameters_;
    w_.own = p.shared("own", h, sizes_.follower_features);
    w_.goal = p.shared("goal", h, sizes_.goal_features);
    w_.joined = p.shared("joined", h, 2 * h);
    if (p.has("embedding")) w_.identity = p.take("embedding.weight", {population, static_cast<py::ssize_t>(h)});
    if (p.has("goal_logit")) {
      expect(sizes_.actions == sizes_.goals + 1, "num_actions", "num_goals + 1", num_actions);
      w_.goal_logit = p.shared("goal_logit", 1, h);
    }
    w_.logits = p.shared("logits", w_.goal_logit ? 1 : sizes_.actions, h);
  }

  py::array step(const py::array& own, const py::array& goal, const py::array& identity) const {
    const std::vector<py::ssize_t> games = games_of(own, "own");
    ActingSizes sizes = sizes_;
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
      act(w_, sizes, arrays);
    }
    return logits;
  }

 private:
  Parameters parameters_;
  ActingSizes sizes_;
  FollowerWeights w_;
  std::int64_t population_;
};

py::array draw(const py::array& log_mu, const py::object& termination_logits, const py::array& held,
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
                         indices(held, "held", shape, -1, offers - 1), whole_array<float>(uniform, "uniform", twice),
                         offer.mutable_data()};
  for (py::ssize_t i = 0; i < uniform.size(); ++i)  // the texts are made only for one that is not
    if (!(draws.uniform[i] >= 0.0F && draws.uniform[i] < 1.0F))
      reject("uniform", "numbers in [0, 1)", draws.uniform[i]);
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
      .def("step", &PyActingFollowers::step, py::arg("own"), py::arg("goal"), py::arg("identity"));
  m.def("draw_offers", &draw, py::arg("log_mu"), py::arg("termination_logits"), py::arg("held"), py::arg("uniform"),
        py::arg("explore"), "Offers int64 [...] of log mu [..., O].");
}

}  // namespace paymaster::bindings
