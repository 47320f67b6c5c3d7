// A batch in play, with arrays for its results; what a fuzz target holds against it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "batch/batch.hpp"
#include "game/field_memory.hpp"
#include "tasks/tasks.hpp"

namespace paymaster::fuzz {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

class Play {
 public:
  Play(const GameConfig& config, int games)
      : batch_(make_batch(config, {.num_envs = games, .seed = 1, .num_threads = 1}, nullptr)),
        games_(static_cast<std::size_t>(games)),
        n_(games_ * static_cast<std::size_t>(config.num_followers)),
        whole_(games_ * static_cast<std::size_t>(batch_->row_length().whole)),
        real_(games_ * static_cast<std::size_t>(batch_->row_length().real)),
        results_(batch_->result_fields(), games),
        totals_(batch_->total_fields(), games),
        followers_(batch_->follower_fields(), games) {}

  Batch& core() { return *batch_; }
  void reset() { batch_->reset(nullptr, nullptr, rows()); }

  /// A step whose offers, and whose followers' actions come of one number.
  void step(std::uint32_t choice) {
    const GameConfig& c = batch_->config();
    const auto goals = static_cast<std::uint32_t>(c.num_goals), bonuses = static_cast<std::uint32_t>(c.num_bonuses);
    std::vector<std::int32_t> offers(2 * n_), follower_actions(n_);
    for (std::size_t i = 0; i < n_; ++i) {
      choice = choice * 1664525 + 1013904223;
      offers[2 * i] = static_cast<std::int32_t>((choice >> 8) % (goals + (c.abstain ? 1 : 0)));
      offers[2 * i + 1] = static_cast<std::int32_t>((choice >> 16) % bonuses);
      follower_actions[i] =
          static_cast<std::int32_t>((choice >> 24) % (c.follower_kind() == Followers::primitive ? 3 : goals + 1));
    }
    const bool rule = c.follower_kind() == Followers::rule;
    if (!rule) batch_->offer(offers.data(), followers_.pointers().data());
    require(followers_.in_bounds(), "what followers know is between its bounds");
    const std::vector<void*> results = results_.pointers(), totals = totals_.pointers();
    batch_->step(offers.data(), rule ? nullptr : follower_actions.data(),
                 {.observation = rows(), .final_observation = {}, .results = results.data(), .totals = totals.data()});
    require(results_.in_bounds() && totals_.in_bounds(), "results are between their bounds");
    for (const float value : real_) require(value >= -1e9f && value <= 1e9f, "an observation is finite");
  }

 private:
  ObservationRows rows() { return {whole_.data(), real_.data()}; }

  std::unique_ptr<Batch> batch_;
  std::size_t games_, n_;
  std::vector<std::int16_t> whole_;
  std::vector<float> real_;
  FieldMemory results_, totals_, followers_;
};

}  // namespace paymaster::fuzz
