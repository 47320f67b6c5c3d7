// A leader's network that learns: forward and backward over the steps of whole episodes, for a few games at a time from
// their first step to their last, so that all arrays stay in the processor's caches and none is as long as the steps.
// Local to the file that includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "networks/leader_heads.hpp"
#include "networks/leader_history.hpp"
#include "networks/leader_update.hpp"
#include "networks/step_groups.hpp"

namespace paymaster {
namespace {

class LeaderLearning final : public LeaderUpdate {
 public:
  LeaderLearning(const LeaderWeights& weights, const ActingSizes& sizes, const float* parameters, float* gradient,
                 std::size_t count)
      : w_(weights), s_(sizes), gradients_{parameters, gradient}, count_(count) {}

  void encode(const PlayedSteps& steps) override {
    s_.followers = steps.followers;
    s_.games = 0;
    for (std::size_t t = 0; t < steps.steps; ++t) s_.games += static_cast<std::size_t>(steps.sizes[t]);
    history_.read();
    heads_.read();
  }

  LossSums judge(const PlayedSteps& steps, const LossSettings& settings, const Judgement& judgement) override {
    LossSums sums;
    each_group(steps, [&] {
      history_.encode(group_, steps);
      group_.each_block(kBlock, [&](const StepBlock& block) {
        heads_.look(block, steps, settings, history_.encoded().from(block.first_row()));
        heads_.judge(block, steps, settings, judgement, sums);
      });
    });
    return sums;
  }

  LossSums learn(const PlayedSteps& steps, const LossSettings& settings, const LossTargets& targets,
                 double scale) override {
    std::fill_n(gradients_.gradient, count_, 0.0F);
    const std::size_t rows = std::max<std::size_t>(1, s_.games * s_.followers);
    const float share = static_cast<float>(scale / static_cast<double>(rows));
    LossSums sums;
    each_group(steps, [&] {
      history_.encode(group_, steps);
      group_.each_block(kBlock, [&](const StepBlock& block) {
        const ConstRows encoded = history_.encoded().from(block.first_row());
        heads_.look(block, steps, settings, encoded);
        heads_.learn(block, steps, settings, targets, share, sums);
        heads_.back(block, steps, encoded, history_.encoded_gradient().from(block.first_row()));
      });
      history_.learn(group_, steps);
    });
    heads_.finish();
    history_.finish();
    return sums;
  }

 private:
  static constexpr std::size_t kGroup = 512, kBlock = 64;  // rows

  /// body() for all games, a group of them at a time.
  template <class Body>
  void each_group(const PlayedSteps& steps, Body&& body) {
    if (s_.games == 0 || s_.followers == 0) return;
    const auto games = static_cast<std::size_t>(steps.sizes[0]);
    const std::size_t most = std::clamp<std::size_t>(kGroup / (steps.steps * s_.followers), 1, games);
    history_.grow(most * steps.steps * s_.followers, most * s_.followers);
    heads_.grow(std::max(kBlock, s_.followers));
    for (std::size_t first = 0; first < games; first += most) {
      group_.choose(steps, first, most);
      body();
    }
  }

  const LeaderWeights w_;
  ActingSizes s_;
  const Gradients gradients_;
  const std::size_t count_;
  StepGroup group_;
  LeaderHeads heads_{w_, s_, gradients_};
  LeaderHistory history_{w_, s_, gradients_};
};

}  // namespace
}  // namespace paymaster
