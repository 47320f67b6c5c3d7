// One step of the networks that act, on the CPU and without gradients: they are so small that torch takes far longer to
// start their operations than these take. What the networks are is said in paymaster/networks/*.py; here the same is
// computed, from the same weights where torch has them. Random numbers come from there, too.
#pragma once

#include <cstddef>
#include <cstdint>

namespace paymaster {

/// y = W x + b, or y = W x.
struct Layer {
  const float* weight = nullptr;  // [outputs, inputs] in C order; null: the network has no such layer
  const float* bias = nullptr;    // [outputs]
  std::size_t inputs = 0, outputs = 0;

  explicit operator bool() const { return weight != nullptr; }
};

/// Games and what there is in each; letters as everywhere (CONTRIBUTING.md).
struct ActingSizes {
  std::size_t games = 0, followers = 0, goals = 0;               // B, N, G
  std::size_t follower_features = 0, goal_features = 0;          // F, D
  std::size_t hidden = 0, bonuses = 0, offers = 0, actions = 0;  // H, K, O, A
};

/// paymaster.networks.LeaderNetwork.
struct LeaderWeights {
  Layer encode_goal, encode_pooled, encode_own;  // no encode_goal: goal types share no weights, "unshared"
  const float* history_offer = nullptr;          // [O + 1, H]
  Layer history_input, history_state;            // of the GRU, r, z and n one below the other
  Layer predict_hidden, predict;                 // none: no prediction
  Layer blend_encoded, blend_predicted;
  Layer score;  // none: every follower counts the same
  Layer attend_own, attend_others;
  Layer end_code;                    // none: no termination function
  const float* end_offer = nullptr;  // [O + 1, H]
  Layer end;
  Layer policy_code, policy_goal, policy;  // unshared: no policy_goal, and `policy` has all goals' logits, and "none"
  Layer bonus;                         // none: `policy` has the bonuses' logits below the goal's; unshared: K or G K
  Layer abstain;                       // none: always offers something
  Layer value_code;                    // of the baseline, which a leader that acts needs not
  const float* value_offer = nullptr;  // [O + 1, H]
  Layer value;
};

/// All arrays are whole and in C order.
struct LeaderStepArrays {
  const float* follower;         // [B, N, F]
  const float* goal;             // [B, N, G, D]
  const std::int64_t* previous;  // [B, N], in -1..O-1
  const float* history;          // [B, N, H]
  float* log_mu;                 // [B, N, O], out, as all that follow
  float* termination_logits;     // [B, N]; not written without a termination function
  float* prediction_logits;      // [B, N, A]; not written without prediction
  float* attention;              // [B, N]
  float* next_history;           // [B, N, H]
};

/// paymaster.networks.follower_policy.FollowerNetwork, all followers sharing one set of weights; which are
/// [inputs, outputs] here.
struct FollowerWeights {
  Layer own, goal, joined;
  const float* identity = nullptr;  // [P, H]; null: they are all alike
  Layer goal_logit;                 // none: `logits` are those of primitive actions, else that of "stop"
  Layer logits;
  Layer value;  // of the critic, which followers that act need not
};

/// And what actions are drawn from: paymaster.networks.follower_policy.draw_actions.
struct FollowerStepArrays {
  const float* own;                // [B, N, F]
  const float* goal;               // [B, N, G, D]
  const std::int64_t* identity;    // [B, N], in 0..P-1
  const bool* acts = nullptr;      // [B, N], whose action is wanted, of others it is 0; null: of all
  float* logits = nullptr;         // [B, N, A], out, of all; null: not wanted
  std::int64_t* action = nullptr;  // [B, N], out; null: not wanted
  const float* uniform = nullptr;  // [B, N], in [0, 1); null: the likeliest actions
  double explore = 0.0;            // iota, with which an action is a uniform one
};

/// What offers of R followers are drawn from: paymaster.networks.leader.sample_offers.
struct OfferDraws {
  const float* log_mu;              // [R, O]
  const float* termination_logits;  // [R]; null: options end by rule only
  const std::int64_t* held;         // [R], omega_{t-1} while its option runs on, else -1
  const float* uniform;             // [2, R], in [0, 1): for the end of the option, for the new offer
  std::int64_t* offer;              // [R], out
};

void act(const LeaderWeights& weights, const ActingSizes& sizes, const LeaderStepArrays& arrays);
void act(const FollowerWeights& weights, const ActingSizes& sizes, const FollowerStepArrays& arrays);
void draw_offers(const OfferDraws& draws, std::size_t rows, std::size_t offers, double explore);  // 1 < O

}  // namespace paymaster
