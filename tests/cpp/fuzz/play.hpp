// A batch in play, with arrays for its results; what a fuzz target holds against it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "paymaster/batch.hpp"
#include "paymaster/registry.hpp"

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
        completions_(games_ * static_cast<std::size_t>(config.num_goals)),
        skill_(n_ * static_cast<std::size_t>(config.num_goals)) {
    for (auto* f : {&terminated_, &committed_, &asked_}) f->reset(new bool[n_ + games_]());
    skills_.reset(new bool[skill_]());
    for (auto* i : {&completed_, &action_, &offered_, &preference_}) i->resize(2 * n_);
    for (auto* f : {&payment_, &earned_, &gain_, &payments_, &incentive_, &total_, &reservation_, &due_})
      f->resize(n_ + games_);
    for (auto* i : {&events_, &length_}) i->resize(games_);
    reward_.resize(games_);
  }

  Batch& core() { return *batch_; }
  void reset() { batch_->reset(nullptr, nullptr, rows()); }

  /// A step whose offers, and what followers are told, come of one number.
  void step(std::uint32_t choice) {
    const GameConfig& c = batch_->config();
    const auto goals = static_cast<std::uint32_t>(c.num_goals), bonuses = static_cast<std::uint32_t>(c.num_bonuses);
    std::vector<std::int32_t> offers(2 * n_), told(n_);
    for (std::size_t i = 0; i < n_; ++i) {
      choice = choice * 1664525 + 1013904223;
      offers[2 * i] = static_cast<std::int32_t>((choice >> 8) % (goals + (c.abstain ? 1 : 0)));
      offers[2 * i + 1] = static_cast<std::int32_t>((choice >> 16) % bonuses);
      told[i] = static_cast<std::int32_t>((choice >> 24) % (c.follower_kind() == Followers::primitive ? 3 : goals + 1));
    }
    const bool rule = c.follower_kind() == Followers::rule;
    if (!rule)
      batch_->offer(offers.data(), {offered_.data(), asked_.get(), skills_.get(), preference_.data(),
                                    reservation_.data(), due_.data()});
    batch_->step(offers.data(), rule ? nullptr : told.data(), results());
    for (const float value : real_) require(value >= -1e9f && value <= 1e9f, "an observation is finite");
  }

 private:
  ObservationRows rows() { return {whole_.data(), real_.data()}; }
  BatchResult results() {
    return {.observation = rows(),
            .final_observation = {},
            .reward = reward_.data(),
            .terminated = terminated_.get(),
            .committed = committed_.get(),
            .completed = completed_.data(),
            .payment = payment_.data(),
            .follower_reward = earned_.data(),
            .follower_action = action_.data(),
            .gain = gain_.data(),
            .payments = payments_.data(),
            .incentive = incentive_.data(),
            .total_follower_reward = total_.data(),
            .events = events_.data(),
            .length = length_.data(),
            .completions = completions_.data()};
  }

  std::unique_ptr<Batch> batch_;
  std::size_t games_, n_;
  std::vector<std::int16_t> whole_;
  std::vector<float> real_;
  std::vector<std::int32_t> completions_, events_, length_;
  std::size_t skill_;
  std::unique_ptr<bool[]> terminated_, committed_, asked_, skills_;
  std::vector<std::int16_t> completed_, action_, offered_, preference_;
  std::vector<float> payment_, earned_, gain_, payments_, incentive_, total_, reservation_, due_;
  std::vector<double> reward_;
};

}  // namespace paymaster::fuzz
