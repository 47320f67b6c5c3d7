// One step of a leader on planes, and the steps of its optimiser. An object holds on to the arrays that it was given. Arrays
// are checked with the GIL held.
#include <string>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "network_parameters.hpp"
#include "networks/plane_acting.hpp"

namespace paymaster::bindings {
namespace {

class PyActingPlanes {
 public:
  PyActingPlanes(const py::dict& arrays, const py::dict& sizes) : arrays_(arrays) {
    const auto size = [&](const char* name) { return checked_size(sizes[name].cast<std::int64_t>(), name); };
    PlaneSizes& s = sizes_;
    s.games = size("games"), s.followers = size("followers"), s.cells = size("cells"), s.codes = size("codes");
    s.constant = size("constant"), s.hidden = size("hidden"), s.goals = size("goals"), s.bonuses = size("bonuses");
    s.bonus_logits = size("bonus_logits"), s.actions = size("actions");
    s.shared = static_cast<std::size_t>(py::len(arrays["code"]));
    s.varying = static_cast<std::size_t>(py::len(arrays["cell"]));
    const std::size_t h = s.hidden, offers = s.goals * s.bonuses;
    PlaneWeights& w = weights_;
    w.manager = layer("manager", size("manager_channels"));
    w.mind = layer("mind", size("mind_channels"));
    w.of_other = take<float>("of_other", {s.actions + offers, w.mind.channels});
    const auto last = [](std::size_t count) { return static_cast<std::int64_t>(count) - 1; };
    w.code = take<std::int64_t>("code", {s.shared});
    for (std::size_t i = 0; i < s.shared; ++i) expect_range<std::int64_t>(w.code[i], 0, last(s.codes), "code");
    w.cell = take<std::int64_t>("cell", {s.varying});
    for (std::size_t i = 0; i < s.varying; ++i) expect_range<std::int64_t>(w.cell[i], 0, last(s.cells), "cell");
    w.expected = take<float>("expected", {s.cells});
    w.fixed = take<bool>("fixed", {s.cells});
    w.gate = take<float>("gate", {s.games * s.followers, h});
    w.gate_of_mind = matrix("gate_of_mind", h, h, false);
    w.context = matrix("context", h, h);
    w.of_context = matrix("of_context", h, h);
    w.of_own = matrix("of_own", h, h, false);
    w.heads = matrix("heads", h, s.goals + s.bonus_logits);
    w.layer = matrix("layer", h, h);
    w.lstm = matrix("lstm", 2 * h, 4 * h);
    w.score = arrays_.contains("score") ? take<float>("score", {h}) : nullptr;
    if (!arrays_.contains("end_code")) return;
    w.end_code = matrix("end_code", h, h);
    w.end_offer = take<float>("end_offer", {offers + 1, h});
    w.end = take<float>("end", {h});
    w.end_bias = take<float>("end_bias", {1});
  }

  py::object decide(const py::array& follower, const py::array& state, const py::array& previous) {
    const PlaneSizes& s = sizes_;
    const std::size_t offers = s.goals * s.bonuses;
    const std::vector<py::ssize_t> games = with({}, {s.games, s.followers});
    PlaneDecision step{};
    step.follower = whole_array<float>(follower, "follower", with(games, {s.cells + s.constant + 2}));
    check_follower(step.follower);
    step.state = whole_array<float>(state, "state", with({}, {s.games * s.followers, 2 * s.hidden}));
    step.previous = indices(previous, "previous", games, -1, static_cast<std::int64_t>(offers) - 1);
    const bool may_end = weights_.end_code.weight != nullptr;
    py::array_t<float> log_mu(with(games, {offers})), attention(games), termination(may_end ? games : with({}, {0}));
    step.log_mu = log_mu.mutable_data();
    step.attention = attention.mutable_data();
    step.termination = termination.mutable_data();
    {
      py::gil_scoped_release release;
      decided_ = plane_decide(weights_, sizes_, step, scratch_);
    }
    if (!decided_) return py::none();
    return py::make_tuple(log_mu, may_end ? py::object(termination) : py::none(), attention);
  }

  py::array follow(const py::array& offer, const py::array& state, bool first) {
    const PlaneSizes& s = sizes_;
    expect(decided_, "follow", "a decision before it", "none");
    const std::vector<py::ssize_t> shape = with({}, {s.games * s.followers, 2 * s.hidden});
    const std::int64_t* offered = indices(offer, "offer", with({}, {s.games, s.followers}), 0,
                                          static_cast<std::int64_t>(s.goals * s.bonuses) - 1);
    const float* before = whole_array<float>(state, "state", shape);
    if (!first)
      for (const std::int64_t action : scratch_.action) expect_range<std::int64_t>(action, 0, s.actions - 1, "action");
    py::array_t<float> after(shape);
    float* to = after.mutable_data();
    decided_ = false;
    py::gil_scoped_release release;
    plane_follow(weights_, sizes_, offered, before, first, to, scratch_);
    return after;
  }

 private:
  template <class T>
  const T* take(const std::string& name, std::initializer_list<std::size_t> shape) {
    if (!arrays_.contains(name)) reject("arrays", "one named '" + name + "'", "none");
    held_.push_back(py::cast<py::array>(arrays_[py::str(name)]));
    return whole_array<T>(held_.back(), name, with({}, shape));
  }

  InOut matrix(const std::string& name, std::size_t inputs, std::size_t outputs, bool bias = true) {
    return {take<float>(name, {inputs, outputs}), bias ? take<float>(name + ".bias", {outputs}) : nullptr};
  }

  PlaneLayer layer(const std::string& name, std::size_t channels) {
    const PlaneSizes& s = sizes_;
    PlaneLayer made{};
    made.channels = channels;
    made.of_code = take<float>(name + ".of_code", {s.codes, channels});
    made.of_constant = take<float>(name + ".of_constant", {s.constant, channels});
    made.start = take<float>(name + ".start", {channels});
    made.summed = matrix(name + ".summed", (s.shared + s.varying) * channels, s.hidden);
    return made;
  }

  void check_follower(const float* follower) const {
    const PlaneSizes& s = sizes_;
    const auto most = static_cast<float>(s.codes - 1);
    for (std::size_t r = 0; r < s.games * s.followers; ++r, follower += s.cells + s.constant + 2)
      for (std::size_t g = 0; g < s.varying; ++g) expect_range(follower[weights_.cell[g]], 0.0F, most, "follower");
  }

  py::dict arrays_;
  std::vector<py::array> held_;
  PlaneSizes sizes_{};
  PlaneWeights weights_{};
  PlaneScratch scratch_;
  bool decided_ = false;
};

float* writeable(py::array& array, const char* name, const std::vector<py::ssize_t>& shape) {
  whole_array<float>(array, name, shape);
  return static_cast<float*>(array.mutable_data());  // throws where it may not be written to
}

void step_rms(py::array parameter, const py::array& gradient, py::array square, double rate, double alpha,
              double epsilon) {
  const std::vector<py::ssize_t> shape(parameter.shape(), parameter.shape() + parameter.ndim());
  float* to = writeable(parameter, "parameter", shape);
  float* squares = writeable(square, "square", shape);
  const float* by = whole_array<float>(gradient, "gradient", shape);
  const RmsStep step{static_cast<float>(rate), static_cast<float>(alpha), static_cast<float>(epsilon)};
  const auto count = static_cast<std::size_t>(parameter.size());
  py::gil_scoped_release release;
  rms_step(to, by, squares, count, step);
}

double sum_of_absolutes(const py::array& values) {
  const std::vector<py::ssize_t> shape(values.shape(), values.shape() + values.ndim());
  const float* numbers = whole_array<float>(values, "values", shape);
  const auto count = static_cast<std::size_t>(values.size());
  py::gil_scoped_release release;
  return absolute_sum(numbers, count);
}

}  // namespace

void bind_plane_acting(py::module_& m) {
  py::class_<PyActingPlanes>(m, "ActingPlanes")
      .def(py::init<const py::dict&, const py::dict&>(), py::arg("arrays"), py::arg("sizes"))
      .def("decide", &PyActingPlanes::decide, py::arg("follower"), py::arg("state"), py::arg("previous"))
      .def("follow", &PyActingPlanes::follow, py::arg("offer"), py::arg("state"), py::arg("first"));
  m.def("rms_step", &step_rms, py::arg("parameter"), py::arg("gradient"), py::arg("square"), py::arg("rate"),
        py::arg("alpha"), py::arg("epsilon"), "A step of RMSprop, in place.");
  m.def("absolute_sum", &sum_of_absolutes, py::arg("values"), "The sum of absolute values, float32 [...].");
}

}  // namespace paymaster::bindings
