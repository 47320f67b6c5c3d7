// Followers that learn. An object holds on to the arrays of its network's parameters and their gradient; of steps it makes
// copies. Arrays are checked with the GIL held; what is computed runs without it, which is safe because it reads arrays
// that this object and this call hold, and writes those that the caller has handed over for that.
#include <cstdint>
#include <memory>
#include <vector>

#include "bindings.hpp"
#include "network_parameters.hpp"
#include "networks/follower_advantages.hpp"
#include "networks/follower_update.hpp"

namespace paymaster::bindings {
namespace {

class PyFollowerUpdate {
 public:
  PyFollowerUpdate(const py::dict& parameters, const py::array& all, const py::array& gradient, std::int64_t population,
                   std::int64_t num_goals, std::int64_t num_actions, std::int64_t own_features,
                   std::int64_t goal_features, std::int64_t hidden)
      : parameters_(parameters),
        network_(follower_network(parameters_, population, num_goals, num_actions, own_features, goal_features, hidden,
                                  true)),
        population_(population),
        all_(all),
        gradient_(gradient) {
    if (all.ndim() != 1) reject("all", "shape (P,)", shape_of(all));
    const float* first = whole_array<float>(all, "all", {all.size()});
    whole_array<float>(gradient, "gradient", {all.size()});
    expect(gradient.writeable(), "gradient", "an array that may be written to", "one that may not");
    expect(parameters_.lie_in(all), "parameters", "arrays that lie in `all`", "one that does not");
    update_ = make_follower_update(network_.weights, network_.sizes, first,
                                   static_cast<float*>(gradient_.mutable_data()), static_cast<std::size_t>(all.size()));
  }

  void take(const py::array& own, const py::array& goal, const py::array& identity, const py::array& action,
            const py::array& acts) {
    if (own.ndim() != 4) reject("own", "shape (T, B, N, F)", shape_of(own));
    const ActingSizes& s = network_.sizes;
    const std::vector<py::ssize_t> shape{own.shape(0), own.shape(1), own.shape(2)}, seats{shape[1], shape[2]};
    FollowerSteps steps;
    steps.steps = static_cast<std::size_t>(shape[0]);
    steps.seats = static_cast<std::size_t>(shape[1] * shape[2]);
    steps.own = whole_array<float>(own, "own", with(shape, {s.follower_features}));
    steps.goal = whole_array<float>(goal, "goal", with(shape, {s.goals, s.goal_features}));
    steps.identity = indices(identity, "identity", seats, 0, population_ - 1);
    steps.action = indices(action, "action", shape, 0, static_cast<std::int64_t>(s.actions) - 1);
    steps.acts = whole_array<bool>(acts, "acts", shape);
    shape_ = shape;
    py::gil_scoped_release release;
    update_->take(steps);
  }

  py::array judge() {
    expect_steps();
    py::array_t<float> value(shape_);
    float* to = value.mutable_data();
    {
      py::gil_scoped_release release;
      update_->judge(to);
    }
    return value;
  }

  py::dict learn(const py::array& advantage, const py::array& targets, bool first, double scale, double explore,
                 double critic_weight, double entropy_weight, double clip) {
    expect_steps();
    const FollowerTargets all{whole_array<float>(advantage, "advantage", shape_),
                              whole_array<float>(targets, "targets", shape_)};
    const FollowerLossSettings settings{explore, critic_weight, entropy_weight, clip};
    FollowerLossSums sums;
    {
      py::gil_scoped_release release;
      sums = update_->learn(settings, all, first, scale);
    }
    py::dict named;
    named["policy_loss"] = sums.policy;
    named["critic_loss"] = sums.critic;
    named["entropy"] = sums.entropy;
    return named;
  }

 private:
  void expect_steps() const {
    if (shape_.empty()) throw std::runtime_error("FollowerUpdate: expected take() first, got none");
  }

  Parameters parameters_;
  FollowerNetwork network_;
  std::int64_t population_;
  py::array all_, gradient_;
  std::unique_ptr<FollowerUpdate> update_;
  std::vector<py::ssize_t> shape_;  // [T, B, N] of the steps taken
};

py::tuple advantages_of(const py::array& reward, const py::array& value, const py::array& acts, double gamma,
                        double gae_lambda) {
  if (reward.ndim() != 3) reject("reward", "shape (T, B, N)", shape_of(reward));
  const std::vector<py::ssize_t> shape{reward.shape(0), reward.shape(1), reward.shape(2)};
  const FollowerReturns returns{static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[1] * shape[2]),
                                whole_array<float>(reward, "reward", shape), whole_array<float>(value, "value", shape),
                                whole_array<bool>(acts, "acts", shape)};
  py::array_t<float> advantage(shape), target(shape);
  float *advantages = advantage.mutable_data(), *targets = target.mutable_data();
  Moments moments;
  {
    py::gil_scoped_release release;
    moments = follower_advantages(returns, gamma, gae_lambda, advantages, targets);
  }
  return py::make_tuple(advantage, target, py::make_tuple(moments.count, moments.mean, moments.squares));
}

}  // namespace

void bind_follower_update(py::module_& m) {
  py::class_<PyFollowerUpdate>(m, "FollowerUpdate")
      .def(py::init<const py::dict&, const py::array&, const py::array&, std::int64_t, std::int64_t, std::int64_t,
                    std::int64_t, std::int64_t, std::int64_t>(),
           py::arg("parameters"), py::arg("all"), py::arg("gradient"), py::kw_only(), py::arg("population"),
           py::arg("num_goals"), py::arg("num_actions"), py::arg("own_features"), py::arg("goal_features"),
           py::arg("hidden"))
      .def("take", &PyFollowerUpdate::take, py::arg("own"), py::arg("goal"), py::arg("identity"), py::arg("action"),
           py::arg("acts"))
      .def("judge", &PyFollowerUpdate::judge)
      .def("learn", &PyFollowerUpdate::learn, py::arg("advantage"), py::arg("targets"), py::kw_only(), py::arg("first"),
           py::arg("scale"), py::arg("explore"), py::arg("critic_weight"), py::arg("entropy_weight"), py::arg("clip"));
  m.def("follower_advantages", &advantages_of, py::arg("reward"), py::arg("value"), py::arg("acts"), py::kw_only(),
        py::arg("gamma"), py::arg("gae_lambda"),
        "Advantages and targets [T, B, N]; count, mean and squared distances from it of the advantages that count.");
}

}  // namespace paymaster::bindings
