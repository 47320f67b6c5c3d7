// A step of followers that act. Local to the file that includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "networks/acting.hpp"
#include "networks/follower_look.hpp"

namespace paymaster {
namespace {

inline void play(const FollowerWeights& weights, const ActingSizes& sizes, const FollowerStepArrays& arrays) {
  FollowerLook look(weights, sizes);
  look.read();
  std::vector<float> out(sizes.actions * FollowerLook::kBlock);
  const std::size_t every = sizes.games * sizes.followers;
  for (std::size_t first = 0; first < every; first += FollowerLook::kBlock) {
    const FollowerBlock block{std::min(FollowerLook::kBlock, every - first),
                              arrays.own + first * sizes.follower_features,
                              arrays.goal + first * sizes.goals * sizes.goal_features, arrays.identity + first};
    look.look(block);
    look.act(block.rows, out.data());
    float* logits = arrays.logits + first * sizes.actions;
    for (std::size_t i = 0; i < block.rows; ++i)
      for (std::size_t a = 0; a < sizes.actions; ++a) *logits++ = out[a * FollowerLook::kBlock + i];
  }
}

}  // namespace
}  // namespace paymaster
