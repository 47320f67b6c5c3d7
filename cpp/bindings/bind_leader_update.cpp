// A leader's network that learns. An object holds on to the arrays of its parameters and their gradient, and to the steps
// it was given last. Arrays are checked with the GIL held; what is computed runs without it, which is safe because it
// reads arrays that this object and this call hold, and writes those that the caller has handed over for that.
#include <cstdint>
#include <memory>
#include <vector>

#include "bindings.hpp"
#include "network_parameters.hpp"
#include "networks/leader_update.hpp"

namespace paymaster::bindings {
namespace {

LossSettings loss_settings(bool dense, bool entropy_of_decisions, double explore, double critic_weight,
                           double entropy_weight, double imitation_weight, double penalty_weight, double clip) {
  LossSettings settings;
  settings.dense = dense;
  settings.entropy_of_decisions = entropy_of_decisions;
  settings.explore = explore;
  settings.critic = critic_weight;
  settings.entropy = entropy_weight;
  settings.imitation = imitation_weight;
  settings.penalty = penalty_weight;
  settings.clip = clip;
  return settings;
}

py::dict as_dict(const LossSums& sums) {
  py::dict named;
  named["policy_loss"] = sums.policy;
  named["critic_loss"] = sums.critic;
  named["entropy"] = sums.entropy;
  named["imitation_loss"] = sums.imitation;
  named["termination_loss"] = sums.termination;
  named["termination_penalty"] = sums.penalty;
  named["predicted"] = sums.predicted;
  named["beta"] = sums.beta;
  return named;
}

class PyLeaderUpdate {
 public:
  PyLeaderUpdate(const py::dict& parameters, const py::array& all, const py::array& gradient, std::int64_t num_goals,
                 std::int64_t num_bonuses, std::int64_t num_actions, std::int64_t follower_features,
                 std::int64_t goal_features, std::int64_t hidden, std::int64_t near_goals)
      : parameters_(parameters),
        network_(leader_network(parameters_, num_goals, near_goals, num_bonuses, num_actions, follower_features,
                                goal_features, hidden, true)),
        all_(all),
        gradient_(gradient) {
    if (all.ndim() != 1) reject("all", "shape (P,)", shape_of(all));
    const float* first = whole_array<float>(all, "all", {all.size()});
    whole_array<float>(gradient, "gradient", {all.size()});
    expect(gradient.writeable(), "gradient", "an array that may be written to", "one that may not");
    expect(parameters_.lie_in(all), "parameters", "arrays that lie in `all`", "one that does not");
    update_ = make_leader_update(network_.weights, network_.sizes, first, static_cast<float*>(gradient_.mutable_data()),
                                 static_cast<std::size_t>(all.size()));
  }

  void take(const std::vector<std::int64_t>& batch_sizes, const py::array& follower, const py::array& goal,
            const py::array& previous, const py::array& offer, const py::array& held, const py::array& follower_action,
            const py::array& new_offer, const py::array& explored) {
    std::int64_t rows = 0;
    for (std::size_t t = 0; t < batch_sizes.size(); ++t) {
      if (batch_sizes[t] <= 0 || (t > 0 && batch_sizes[t] > batch_sizes[t - 1]))
        reject("batch_sizes", "positive numbers, none above the one before", batch_sizes[t]);
      rows += batch_sizes[t];
    }
    const std::vector<py::ssize_t> games = games_of(follower, "follower");
    expect(games[0] == rows, "follower", "as many steps as in batch_sizes", std::to_string(games[0]));
    const ActingSizes& s = network_.sizes;
    const auto offers = static_cast<std::int64_t>(s.offers);
    const std::int64_t actions = s.actions > 0 ? static_cast<std::int64_t>(s.actions) : INT64_MAX;
    PlayedSteps steps;
    steps.follower = whole_array<float>(follower, "follower", with(games, {s.follower_features}));
    steps.goal = whole_array<float>(goal, "goal", with(games, {s.goals, s.goal_features}));
    steps.previous = indices(previous, "previous", games, -1, offers - 1);
    steps.offer = indices(offer, "offer", games, 0, offers - 1);
    steps.held = indices(held, "held", games, -1, offers - 1);
    steps.follower_action = indices(follower_action, "follower_action", games, 0, actions - 1);
    steps.new_offer = whole_array<bool>(new_offer, "new_offer", games);
    steps.explored = whole_array<bool>(explored, "explored", games);
    sizes_ = batch_sizes;
    steps.sizes = sizes_.data(), steps.steps = sizes_.size();
    steps.followers = static_cast<std::size_t>(games[1]);
    steps_ = steps, shape_ = games;
    held_ = {follower, goal, previous, offer, held, follower_action, new_offer, explored};
  }

  void encode() {
    expect_steps();
    py::gil_scoped_release release;
    update_->encode(steps_);
  }

  py::tuple judge(const LossSettings& settings) {
    expect_steps();
    const LeaderWeights& w = network_.weights;
    py::array_t<float> phi(with(shape_, {w.value.outputs})), policy(shape_),
        termination(w.end ? shape_ : with({}, {0}));
    const Judgement out{phi.mutable_data(), policy.mutable_data(), termination.mutable_data()};
    LossSums sums;
    {
      py::gil_scoped_release release;
      sums = update_->judge(steps_, settings, out);
    }
    return py::make_tuple(phi, policy, w.end ? py::object(termination) : py::none(), as_dict(sums));
  }

  py::dict learn(const LossSettings& settings, const py::array& advantage, const py::array& targets,
                 const py::object& policy, const py::object& termination, double scale) {
    expect_steps();
    const LeaderWeights& w = network_.weights;
    const auto old = [&](const py::object& array, const char* name) {
      return array.is_none() ? nullptr : whole_array<float>(array.cast<py::array>(), name, shape_);
    };
    const LossTargets all{whole_array<float>(advantage, "advantage", shape_),
                          whole_array<float>(targets, "targets", with(shape_, {w.value.outputs})),
                          old(policy, "policy"), old(termination, "termination")};
    if (w.end && (all.policy == nullptr) != (all.termination == nullptr))
      reject("termination", "old log-probabilities with those of the policy", "one of them");
    LossSums sums;
    {
      py::gil_scoped_release release;
      sums = update_->learn(steps_, settings, all, scale);
    }
    return as_dict(sums);
  }

 private:
  void expect_steps() const {
    if (held_.empty()) throw std::runtime_error("LeaderUpdate: expected take() first, got none");
  }

  Parameters parameters_;
  LeaderNetwork network_;
  py::array all_, gradient_;
  std::unique_ptr<LeaderUpdate> update_;
  std::vector<std::int64_t> sizes_;
  std::vector<py::ssize_t> shape_;
  std::vector<py::array> held_;
  PlayedSteps steps_{};
};

}  // namespace

void bind_leader_update(py::module_& m) {
  py::class_<LossSettings>(m, "LossSettings")
      .def(py::init(&loss_settings), py::kw_only(), py::arg("dense"), py::arg("entropy_of_decisions"),
           py::arg("explore"), py::arg("critic_weight"), py::arg("entropy_weight"), py::arg("imitation_weight"),
           py::arg("penalty_weight"), py::arg("clip"));
  py::class_<PyLeaderUpdate>(m, "LeaderUpdate")
      .def(py::init<const py::dict&, const py::array&, const py::array&, std::int64_t, std::int64_t, std::int64_t,
                    std::int64_t, std::int64_t, std::int64_t, std::int64_t>(),
           py::arg("parameters"), py::arg("all"), py::arg("gradient"), py::kw_only(), py::arg("num_goals"),
           py::arg("num_bonuses"), py::arg("num_actions"), py::arg("follower_features"), py::arg("goal_features"),
           py::arg("hidden"), py::arg("near_goals") = 0)
      .def("take", &PyLeaderUpdate::take, py::arg("batch_sizes"), py::arg("follower"), py::arg("goal"),
           py::arg("previous"), py::arg("offer"), py::arg("held"), py::arg("follower_action"), py::arg("new_offer"),
           py::arg("explored"))
      .def("encode", &PyLeaderUpdate::encode)
      .def("judge", &PyLeaderUpdate::judge, py::arg("settings"))
      .def("learn", &PyLeaderUpdate::learn, py::arg("settings"), py::arg("advantage"), py::arg("targets"),
           py::arg("policy"), py::arg("termination"), py::arg("scale"));
}

}  // namespace paymaster::bindings
