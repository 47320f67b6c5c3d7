// A leader's network that learns: forward and backward over the steps of whole episodes. The recurrent part goes step by
// step; all else by panels of a few games' steps (panel.hpp), whose activations are computed anew where a gradient needs
// them, which is quicker than to store them. Local to the file that includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "networks/leader_heads.hpp"
#include "networks/leader_history.hpp"
#include "networks/leader_update.hpp"

namespace paymaster {
namespace {

class LeaderLearning final : public LeaderUpdate {
 public:
  LeaderLearning(const LeaderWeights& weights, const ActingSizes& sizes, const float* parameters, float* gradient,
                 std::size_t count)
      : w_(weights), s_(sizes), gradients_{parameters, gradient}, count_(count) {}

  void encode(const PlayedSteps& steps) override {
    prepare(steps);
    history_.read();
    heads_->read();
    history_.encode(steps);
  }

  LossSums judge(const PlayedSteps& steps, const LossSettings& settings, const Judgement& judgement) override {
    LossSums sums;
    each_panel(s_, [&](const Games& games, std::size_t panel) {
      heads_->look(games, steps, settings, history_.state(panel), history_.after());
      heads_->judge(games, steps, settings, judgement, sums);
    });
    return sums;
  }

  LossSums learn(const PlayedSteps& steps, const LossSettings& settings, const LossTargets& targets,
                 double scale) override {
    std::fill_n(gradients_.gradient, count_, 0.0F);
    const float share = static_cast<float>(scale / static_cast<double>(std::max<std::size_t>(1, rows_)));
    LossSums sums;
    each_panel(s_, [&](const Games& games, std::size_t panel) {
      heads_->look(games, steps, settings, history_.state(panel), history_.after());
      heads_->learn(games, steps, settings, targets, share, sums);
      heads_->back(games, steps, history_.state_gradient(panel), history_.after_gradient());
    });
    heads_->finish();
    history_.learn(steps);
    return sums;
  }

 private:
  void prepare(const PlayedSteps& steps) {
    std::size_t games = 0;
    for (std::size_t t = 0; t < steps.steps; ++t) games += static_cast<std::size_t>(steps.sizes[t]);
    s_.games = games, s_.followers = steps.followers;
    rows_ = games * s_.followers;
    if (heads_ == nullptr || columns_ != s_.followers * kGames) {
      columns_ = s_.followers * kGames;
      heads_ = std::make_unique<LeaderHeads>(w_, s_, gradients_);
    }
    history_.size(s_);
  }

  const LeaderWeights w_;
  ActingSizes s_;
  const Gradients gradients_;
  const std::size_t count_;
  std::size_t rows_ = 0, columns_ = 0;
  std::unique_ptr<LeaderHeads> heads_;
  LeaderHistory history_{w_, gradients_};
};

}  // namespace
}  // namespace paymaster
