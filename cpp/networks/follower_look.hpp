// What the network of followers that act or learn says, for a block of their steps at a time: its arrays stay in the
// processor's smallest cache. Local to the file that includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "networks/shared_rows.hpp"

namespace paymaster {
namespace {

/// Some followers' steps, no more than FollowerLook::kBlock.
struct FollowerBlock {
  std::size_t rows;
  const float* own;              // [rows, F]
  const float* goal;             // [rows, G, D]
  const std::int64_t* identity;  // [rows]
};

class FollowerLook {
 public:
  static constexpr std::size_t kBlock = 32;  // whole registers of every kind

  FollowerLook(const FollowerWeights& weights, const ActingSizes& sizes) : w_(weights), s_(sizes) {}

  /// The weights, which have changed.
  void read() {
    for (SharedRows* layer : {&own, &goal, &joined}) layer->read();
    const std::size_t h = s_.hidden, outputs = w_.logits.outputs;
    transpose(w_.logits.weight, outputs, h, outputs, heads[0], heads.stride());
    if (w_.value) std::copy_n(w_.value.weight, h, heads[outputs]);
    if (w_.goal_logit) std::copy_n(w_.goal_logit.weight, h, goal_head[0]);
  }

  /// The codes: all that is said is read off them.
  void look(const FollowerBlock& block) {
    const std::size_t d = s_.goal_features;
    start(block);
    own.apply({block.own, s_.follower_features}, code, code, block.rows);
    for (std::size_t g = 0; g < s_.goals; ++g)
      goal.apply({block.goal + g * d, s_.goals * d}, code, kind(g), block.rows, RectifiedWith{goal.bias()});
    pool(block.rows);
    joined.apply(pooled, code, joined_code, block.rows, RectifiedWith{joined.bias()});
  }
  /// The logits, out[A, kBlock].
  void act(std::size_t rows, float* out) const {
    std::size_t action = 0;
    if (w_.goal_logit)
      for (; action < s_.goals; ++action)
        dots(kind(action), rows, goal_head[0], goal_head.stride(), bias_of(w_.goal_logit, 0), out + action * kBlock);
    for (std::size_t o = 0; o < w_.logits.outputs; ++o, ++action)
      dots(joined_code, rows, heads[o], heads.stride(), bias_of(w_.logits, o), out + action * kBlock);
  }
  /// The values, out[kBlock].
  void judge(std::size_t rows, float* out) const {
    dots(joined_code, rows, heads[w_.logits.outputs], heads.stride(), bias_of(w_.value, 0), out);
  }

  /// A goal type's codes; where the second half of `pooled` begins.
  Rows kind(std::size_t g) { return kinds.from(g * kBlock); }
  ConstRows kind(std::size_t g) const { return ConstRows(kinds).from(g * kBlock); }
  std::size_t half() const { return code.stride(); }

 private:
  static float bias_of(const Layer& layer, std::size_t output) {
    return layer.bias == nullptr ? 0.0F : layer.bias[output];
  }
  /// The own codes, but for what the features add.
  void start(const FollowerBlock& block) {
    const std::size_t h = s_.hidden;
    for (std::size_t i = 0; i < block.rows; ++i) {
      if (w_.identity == nullptr) {
        copy_row(own.bias(), code.stride(), code[i]);
        continue;
      }
      const float* of = w_.identity + static_cast<std::size_t>(block.identity[i]) * h;
      map(h, code[i], []<class W>(W bias, W one) { return bias + one; }, own.bias(), of);
      std::fill(code[i] + h, code[i] + code.stride(), 0.0F);
    }
  }
  void pool(std::size_t rows) {
    const std::size_t goals = s_.goals, width = half(), next = kBlock * width;  // goal type of the same step
    const float share = 1.0F / static_cast<float>(goals);
    for (std::size_t i = 0; i < rows; ++i) {
      const float* seen = kinds[i];
      float* to = pooled[i];
      for (std::size_t j = 0; j < width; j += kWidth<float>) {
        Floats sum{}, largest{};  // codes are never below 0
        for (std::size_t g = 0; g < goals; ++g) {
          const Floats x = load<Floats>(seen + g * next + j);
          sum += x;
          largest = larger(largest, x);  // a NaN stays one
        }
        store(Floats(share * sum), to + j);
        store(largest, to + width + j);
      }
    }
  }

  const FollowerWeights& w_;
  const ActingSizes& s_;

 public:  // which the gradient is made of
  SharedRows own{w_.own}, goal{w_.goal}, joined{w_.joined, 2};
  RowRoom heads{w_.logits.outputs + 1, s_.hidden};  // weights of the logits, and of the value
  RowRoom goal_head{1, s_.hidden};                  // of the goal types' logit
  // Of a block: what a follower is and sees; codes of its goal types, those of one goal type together; their mean and the
  // largest; what is read off all of these.
  RowRoom code{kBlock, s_.hidden}, kinds{s_.goals * kBlock, s_.hidden}, pooled{kBlock, 2 * padded(s_.hidden)};
  RowRoom joined_code{kBlock, s_.hidden};
};

}  // namespace
}  // namespace paymaster
