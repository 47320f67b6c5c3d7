// One step of a leader on planes, on the CPU and without gradients (paymaster/networks/plane_leader.py is the definition),
// and the steps of its optimiser. Weights come as paymaster/networks/plane_acting.py has prepared them for an episode.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace paymaster {

/// out = x weight + bias; weight [inputs, outputs] in C order.
struct InOut {
  const float* weight = nullptr;
  const float* bias = nullptr;  // null: none
};

/// Planes to a vector: what the convolution makes of codes and of constant planes, and the weights of groups of cells.
struct PlaneLayer {
  const float *of_code, *of_constant, *start;  // [codes, channels], [C, channels], [channels]
  InOut summed;                                // [groups x channels, H]
  std::size_t channels;
};

struct PlaneSizes {
  std::size_t games, followers, cells, codes, constant;       // B, N, of planes
  std::size_t hidden, goals, bonuses, bonus_logits, actions;  // H, G, K, K or G K, A
  std::size_t shared, varying;                                // groups: of cells of one code; of single cells
};

struct PlaneWeights {
  PlaneLayer manager, mind;
  const float* of_other;            // [A + O, channels of mind], of the previous action and of the offer
  const std::int64_t *code, *cell;  // [shared] codes; [varying] cells
  const float* expected;            // [cells] codes of cells that are no group of their own ...
  const bool* fixed;                // [cells] ... which are these
  const float* gate;                // [B N, H], of the history; then of m
  InOut gate_of_mind, context, of_context, of_own, heads, layer, lstm;
  const float* score;                       // [H]; null: the mean over followers
  InOut end_code;                           // null: no termination function
  const float *end_offer, *end, *end_bias;  // [O + 1, H], of omega_{t-1} from -1 on; [H]; [1]
};

/// Kept from a decision to what follows it.
struct PlaneScratch {
  std::vector<float> mind_start;     // [B N, channels of mind]
  std::vector<std::uint8_t> looked;  // [B N, groups] codes
  std::vector<std::int64_t> action;  // [B N]
  std::vector<float> table, seen, encoded, gates, pooled, context, shared, code, heads;
};

struct PlaneDecision {
  const float* follower;                    // [B, N, F]
  const float* state;                       // [B N, 2 H], m first
  const std::int64_t* previous;             // [B, N], -1 for none
  float *log_mu, *termination, *attention;  // out: [B, N, O], [B, N] (where there is one), [B, N]
};

/// False, with nothing written, where a cell has a code that its group has not.
bool plane_decide(const PlaneWeights& weights, const PlaneSizes& sizes, const PlaneDecision& step,
                  PlaneScratch& scratch);
/// m and the LSTM's memory behind the step decided last, after [B N, 2 H].
void plane_follow(const PlaneWeights& weights, const PlaneSizes& sizes, const std::int64_t* offer, const float* state,
                  bool first, float* after, PlaneScratch& scratch);

/// A step of RMSprop as torch has it, without momentum.
struct RmsStep {
  float rate, alpha, epsilon;
};
void rms_step(float* parameter, const float* gradient, float* square, std::size_t count, const RmsStep& step);
/// The sum of absolute values, to the same bits whatever the processor.
double absolute_sum(const float* values, std::size_t count);

}  // namespace paymaster
