// A batch in play, each step of each game checked against the rules of tasks.md from outside; and twins of it on more
// threads that must do just the same.
#pragma once

#include <vector>

#include "support/rules.hpp"

namespace paymaster::test {

class Match {
 public:
  /// `twins`: numbers of threads to play the same games on.
  Match(const GameConfig& config, const BatchConfig& batch, const std::vector<int>& twins = {},
        int change_percent = 15);

  /// `deep` (grid): game 0's routes and actions are compared with a queue search, which takes its time on large maps.
  void step(bool deep = false);
  /// Starts the next episode of the games in `mask` [B].
  void reset(const bool* mask);
  /// Sets the state to what it is, and restores a snapshot: nothing changes.
  void round_trip();
  /// Statistics, and the twins' state down to the last byte.
  void finish();

 private:
  PlayedStep describe(int game, const Offers& offers, const int* planned);
  void check_routes();
  void check_game(PlayedStep& step, int game);
  void check_played(PlayedStep& step, int game);
  void check_end(const PlayedStep& step, int game);
  void check_noise(const PlayedStep& step, int game) const;
  void count_trials(const PlayedStep& step);
  void look();  // reads the state and keeps the distances shown with it

  GameConfig config_;
  BatchConfig mode_;
  bool on_grid_;
  GridMap map_;
  TestBatch batch_;
  std::vector<TestBatch> twins_;
  OfferStream offers_;
  StateArrays before_, after_;
  std::vector<std::int16_t> distance_;  // [B, N, G]
  std::vector<Ledger> ledgers_;
  std::vector<int> planned_;
  std::int64_t trials_ = 0;
};

}  // namespace paymaster::test
