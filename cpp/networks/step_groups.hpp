// Which steps a leader that learns goes through together: those of a few games from first to last, whose arrays stay in
// the processor's caches, and of these a few games' steps at a time, whose arrays stay in the smallest. Local to the file
// that includes it (numbers.hpp says why).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "networks/leader_update.hpp"

namespace paymaster {
namespace {

/// Some games' steps: `count` of those of a group, from the `first` on.
struct StepBlock {
  const std::size_t* played;  // which of PlayedSteps each is
  std::size_t first, count, followers;

  std::size_t rows() const { return count * followers; }
  std::size_t first_row() const { return first * followers; }

  /// body(row of PlayedSteps, row of the block)
  template <class Body>
  void each(Body&& body) const {
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t n = 0; n < followers; ++n) body(played[first + i] * followers + n, i * followers + n);
  }
  /// body(first row of PlayedSteps, first row of the block, how many): for rows that lie together in both.
  template <class Body>
  void each_run(Body&& body) const {
    for (std::size_t i = 0, next; i < count; i = next) {
      for (next = i + 1; next < count && played[first + next] == played[first + next - 1] + 1;) ++next;
      body(played[first + i] * followers, i * followers, (next - i) * followers);
    }
  }
};

/// All steps of a few games, those of one time t together.
class StepGroup {
 public:
  /// Of the games from `first` on, at most `games`.
  void choose(const PlayedSteps& steps, std::size_t first, std::size_t games) {
    followers_ = steps.followers;
    played_.clear(), starts_.assign(1, 0);
    for (std::size_t t = 0, before = 0; t < steps.steps; ++t) {
      const auto playing = static_cast<std::size_t>(steps.sizes[t]);
      for (std::size_t game = first; game < std::min(first + games, playing); ++game) played_.push_back(before + game);
      if (played_.size() == starts_.back()) break;
      starts_.push_back(played_.size());
      before += playing;
    }
  }

  std::size_t rows() const { return played_.size() * followers_; }
  std::size_t times() const { return starts_.size() - 1; }
  /// The first row of time t, and of the time after it.
  std::size_t start(std::size_t t) const { return starts_[t] * followers_; }

  /// body(block) for all of them, some `rows` rows at a time.
  template <class Body>
  void each_block(std::size_t rows, Body&& body) const {
    const std::size_t most = std::max<std::size_t>(1, rows / followers_);
    for (std::size_t first = 0; first < played_.size(); first += most)
      body(StepBlock{played_.data(), first, std::min(most, played_.size() - first), followers_});
  }

 private:
  std::size_t followers_ = 0;
  std::vector<std::size_t> played_, starts_;
};

}  // namespace
}  // namespace paymaster
