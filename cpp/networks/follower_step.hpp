// A step of followers that learn, for a few of them at a time. Local to the file that includes it
// (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>

#include "networks/acting.hpp"
#include "networks/panel.hpp"

namespace paymaster {
namespace {

/// A layer whose weights are stored as [inputs, outputs], the other way round.
class Turned {
 public:
  explicit Turned(const Layer& layer)
      : weight_(std::make_unique<float[]>(layer.inputs * layer.outputs)), layer_(layer) {
    if (!layer) return;
    transpose(layer.weight, layer.outputs, layer.inputs, layer.outputs, weight_.get(), layer.inputs);
    layer_.weight = weight_.get();
  }

  const Layer& operator*() const { return layer_; }

 private:
  std::unique_ptr<float[]> weight_;
  Layer layer_;
};

class FollowerStep {
 public:
  FollowerStep(const FollowerWeights& weights, const ActingSizes& sizes, const FollowerStepArrays& arrays,
               std::size_t width)
      : w_(weights), s_(sizes), a_(arrays), columns_(sizes.followers * width) {}

  void play(const Games& games) {
    const std::size_t hidden = s_.hidden * columns_, d = s_.goal_features;
    take(games, a_.own, s_.follower_features, own_.all());
    take(games, a_.goal, s_.goals * d, goal_.all());
    apply(*own_layer_, own_.all(), code_.all(), columns_);
    if (w_.identity != nullptr) add_rows_of(w_.identity, s_.hidden, games, a_.identity, 0, code_.all());
    float *kind = kind_.all(), *mean = mean_and_largest_.all(), *largest = mean_and_largest_[s_.hidden];
    std::fill_n(mean, 2 * hidden, 0.0F);  // the largest, too: codes of goal types are never below 0
    const float share = 1.0F / static_cast<float>(s_.goals);
    for (std::size_t g = 0; g < s_.goals; ++g) {
      apply(*goal_layer_, goal_[g * d], kind, columns_);
      map(hidden, kind, []<class W>(W seen, W code) { return rectified(seen + code); }, kind, code_.all());
      map(hidden, mean, [=]<class W>(W sum, W x) { return sum + share * x; }, mean, kind);
      map(hidden, largest, []<class W>(W most, W x) { return larger(most, x); }, largest, kind);
      if (w_.goal_logit) apply(*goal_logit_layer_, kind, logits_[g], columns_);
    }
    apply(*joined_layer_, mean, kind, columns_);
    map(hidden, kind, []<class W>(W joined, W code) { return rectified(joined + code); }, kind, code_.all());
    apply(*logits_layer_, kind, logits_[w_.goal_logit ? s_.goals : 0], columns_);
    give(games, logits_.all(), s_.actions, a_.logits);
  }

 private:
  Panel panel(std::size_t rows) const { return Panel(rows, columns_); }

  const FollowerWeights& w_;
  const ActingSizes& s_;
  const FollowerStepArrays& a_;
  const std::size_t columns_;
  const Turned own_layer_{w_.own}, goal_layer_{w_.goal}, joined_layer_{w_.joined};
  const Turned goal_logit_layer_{w_.goal_logit}, logits_layer_{w_.logits};
  Panel own_ = panel(s_.follower_features), goal_ = panel(s_.goals * s_.goal_features);
  Panel code_ = panel(s_.hidden), kind_ = panel(s_.hidden), mean_and_largest_ = panel(2 * s_.hidden);
  Panel logits_ = panel(s_.actions);
};

}  // namespace
}  // namespace paymaster
