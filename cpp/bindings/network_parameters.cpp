#include "network_parameters.hpp"

namespace paymaster::bindings {

LeaderNetwork leader_network(Parameters& p, std::int64_t num_goals, std::int64_t near_goals, std::int64_t num_bonuses,
                             std::int64_t num_actions, std::int64_t follower_features, std::int64_t goal_features,
                             std::int64_t hidden, bool learns) {
  LeaderNetwork network;
  ActingSizes& sizes = network.sizes;
  LeaderWeights& w = network.weights;
  const std::size_t goals = checked_size(num_goals, "num_goals");
  sizes.goals = near_goals == 0 ? goals : checked_size(near_goals, "near_goals");
  sizes.bonuses = checked_size(num_bonuses, "num_bonuses");
  sizes.follower_features = checked_size(follower_features, "follower_features");
  sizes.goal_features = checked_size(goal_features, "goal_features");
  sizes.hidden = checked_size(hidden, "hidden");
  // Goal types share weights; a network that lacks one of these two is refused, not taken for one in which they do not.
  const bool shared = p.has("state_encoder.goal") || p.has("policy.out"), predicts = p.has("follower_model.layers.0");
  const bool abstains = shared ? p.has("policy.abstain") : p.rows("policy.goal") == sizes.goals + 1;
  sizes.actions = predicts ? checked_size(num_actions, "num_actions") : 0;
  sizes.offers = sizes.goals * sizes.bonuses + (abstains ? 1 : 0);
  const std::size_t h = sizes.hidden, d = sizes.goal_features, k = sizes.bonuses, a = sizes.actions;
  if (!shared) w.policy = p.layer("policy.goal", abstains ? sizes.goals + 1 : sizes.goals, h);
  const auto offers =
      std::vector<py::ssize_t>({static_cast<py::ssize_t>(sizes.offers) + 1, static_cast<py::ssize_t>(h)});
  if (shared) {
    w.encode_goal = p.layer("state_encoder.goal", (h + 1) / 2, d);
    w.encode_pooled = p.layer("state_encoder.pooled", h, (h + 1) / 2, false);
  }
  w.encode_own = p.layer("state_encoder.own", h, sizes.follower_features + (shared ? d : sizes.goals * d));
  w.history_offer = p.take("history_encoder.offer.weight", offers);
  w.history_input = p.gates("history_encoder.gru", "ih", h);
  w.history_state = p.gates("history_encoder.gru", "hh", h);
  if (predicts) {
    w.predict_hidden = p.layer("follower_model.layers.0", h, 2 * h);
    w.predict = p.layer("follower_model.layers.2", a, h);
    w.blend_predicted = p.layer("attention.blend_predicted", h, a, false);
  }
  w.blend_encoded = p.layer("attention.blend_encoded", h, 2 * h);
  w.score = p.optional("attention.score", 1, h, false);
  w.attend_own = p.layer("attention.own", h, h);
  w.attend_others = p.layer("attention.others", h, h, false);
  if (p.has("termination.out")) {
    w.end_code = p.layer("termination.code", h, h);
    w.end_offer = p.take("termination.offer.weight", offers);
    w.end = p.layer("termination.out", 1, h);
  }
  w.policy_code = p.layer("policy.code", h, h);
  if (shared) {
    w.policy_goal = p.layer("policy.goal", h, d, false);
    w.bonus = p.optional("policy.bonus", k, h);
    w.policy = p.layer("policy.out", w.bonus ? 1 : 1 + k, h);
    w.abstain = p.optional("policy.abstain", 1, h);
  } else {
    expect(!learns, "parameters", "those of a leader whose goal types share weights", "another's");
    w.bonus = p.layer("policy.bonus", p.rows("policy.bonus") == k ? k : sizes.goals * k, h);
  }
  if (learns) {
    w.value_code = p.layer("baseline.code", h, h);
    w.value_offer = p.take("baseline.offer.weight", offers);
    const std::size_t counts = goals + k;  // and one more for what a leader is rewarded beside them
    w.value = p.layer("baseline.out", p.rows("baseline.out") == counts + 1 ? counts + 1 : counts, h);
  }
  return network;
}

FollowerNetwork follower_network(Parameters& p, std::int64_t population, std::int64_t num_goals,
                                 std::int64_t num_actions, std::int64_t own_features, std::int64_t goal_features,
                                 std::int64_t hidden, bool learns) {
  FollowerNetwork network;
  ActingSizes& sizes = network.sizes;
  FollowerWeights& w = network.weights;
  checked_size(population, "population");
  sizes.goals = checked_size(num_goals, "num_goals");
  sizes.actions = checked_size(num_actions, "num_actions");
  sizes.follower_features = checked_size(own_features, "own_features");
  sizes.goal_features = checked_size(goal_features, "goal_features");
  sizes.hidden = checked_size(hidden, "hidden");
  const std::size_t h = sizes.hidden;
  w.own = p.shared("own", h, sizes.follower_features);
  w.goal = p.shared("goal", h, sizes.goal_features);
  w.joined = p.shared("joined", h, 2 * h);
  if (p.has("embedding")) w.identity = p.take("embedding.weight", {population, static_cast<py::ssize_t>(h)});
  if (p.has("goal_logit")) {
    expect(sizes.actions == sizes.goals + 1, "num_actions", "num_goals + 1", num_actions);
    w.goal_logit = p.shared("goal_logit", 1, h);
  }
  w.logits = p.shared("logits", w.goal_logit ? 1 : sizes.actions, h);
  if (learns) w.value = p.shared("value", 1, h);
  return network;
}

}  // namespace paymaster::bindings
