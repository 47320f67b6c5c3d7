// Random variants of a task: every parameter that changes the play, its extremes included.
#pragma once

#include "batch/batch.hpp"
#include "support/random.hpp"

namespace paymaster::test {

struct Variant {
  GameConfig game;
  BatchConfig batch;        // on one thread
  std::vector<int> twins;   // numbers of threads to compare with
  int steps = 0;            // of the batch; fewer where a step takes long
  int change_percent = 15;  // of the offers, from step to step
};

Variant random_variant(const GameConfig& preset, Random& random);

}  // namespace paymaster::test
