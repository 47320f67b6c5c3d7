// B games of one world, their worker threads and their shared statistics table. Results go straight into the
// caller's arrays; each worker writes only the rows of the games it plays.
#pragma once

#include <algorithm>
#include <cstring>
#include <utility>

#include "batch/batch.hpp"
#include "batch/check_actions.hpp"
#include "batch/worker_pool.hpp"
#include "game/game_fields.hpp"

namespace paymaster {

template <class World>
class GameBatch : public Batch {
 public:
  GameBatch(const GameConfig& config, const BatchConfig& batch, Population population, World world)
      : batch_(batch),
        game_(config, std::move(population), std::move(world)),
        table_(game_.population().size(), config.num_goals, config.num_bonuses, config.horizon),
        pool_(batch.num_threads),
        n_(config.num_followers),
        states_(static_cast<std::size_t>(batch.num_envs)),
        events_(states_.size() * static_cast<std::size_t>(n_)) {
    clear(states_);
    const auto described = [](auto&& list) {
      Describe fields;
      list(fields);
      return std::move(fields.fields);
    };
    const Offer offers[World::kMaxFollowers];
    State& s = states_[0];
    observation_fields_ = described([&](Describe& d) { game_.observe(s, d); });
    state_fields_ = described([&](Describe& d) { game_.visit(s, d); });
    result_fields_ = described([&](Describe& d) { game_.results(typename Game<World>::Step{}, d); });
    total_fields_ = described([&](Describe& d) { game_.totals(s, d); });
    follower_fields_ = described([&](Describe& d) { game_.follower_view(s, offers, d); });
    for (const auto& f : observation_fields_) (f.real() ? row_length_.real : row_length_.whole) += f.places();
    start(nullptr);
  }

  const GameConfig& config() const override { return game_.config(); }
  const BatchConfig& batch_config() const override { return batch_; }
  const Population& population() const override { return game_.population(); }
  HistoryTable& statistics() override { return table_; }
  int threads() const override { return pool_.size(); }
  int choices() const override { return game_.choices(); }
  const std::vector<FieldInfo>& observation_fields() const override { return observation_fields_; }
  const std::vector<FieldInfo>& state_fields() const override { return state_fields_; }
  const std::vector<FieldInfo>& result_fields() const override { return result_fields_; }
  const std::vector<FieldInfo>& total_fields() const override { return total_fields_; }
  const std::vector<FieldInfo>& follower_fields() const override { return follower_fields_; }
  RowLength row_length() const override { return row_length_; }
  std::size_t bytes_per_game() const override { return bytes_of_game(game_.config()); }
  static std::size_t bytes_of_game(const GameConfig& config) {
    return sizeof(State) + sizeof(HistoryEvent) * static_cast<std::size_t>(config.num_followers);
  }

  void reset(const std::uint64_t* seeds, const bool* mask, const ObservationRows& observation) override {
    const CallGuard::Call call(*guard(), calls::reset);
    if (seeds != nullptr) {
      start(seeds);
    } else {
      pool_.run(size(), kSmallestPiece, [&](int begin, int end) {
        for (int i = begin; i < end; ++i) {
          if (mask == nullptr || as_bool(mask + i)) next_episode(state(i));
        }
      });
    }
    look_for_pristine();
    observe(observation);
  }

  void offer(const std::int32_t* actions, void* const* followers) override {
    const CallGuard::Call call(*guard(), calls::offer);
    check_begun("offer");
    check_offers(game_.config(), actions, states_.size());
    pool_.run(size(), kSmallestPiece, [&](int begin, int end) {
      for (int i = begin; i < end; ++i) {
        Offer offers[World::kMaxFollowers];
        read_offers(i, actions, offers);
        game_.follower_view(state(i), offers, ReadFields{followers, static_cast<std::size_t>(i)});
      }
    });
  }

  void step(const std::int32_t* actions, const std::int32_t* follower_actions, const BatchResult& result) override {
    const CallGuard::Call call(*guard(), calls::step);
    check_begun("step");
    check_offers(game_.config(), actions, states_.size());
    if (follower_actions != nullptr) check_follower_actions(game_.choices(), n_, follower_actions, states_.size());
    pool_.run(size(), kSmallestPiece, [&](int begin, int end) {
      for (int i = begin; i < end; ++i) advance(i, actions, follower_actions, result);
    });
    if (!table_.frozen) update_statistics();
  }

  void observe(const ObservationRows& observation) override {
    const CallGuard::Call call(*guard(), calls::observe);
    pool_.run(size(), kSmallestPiece, [&](int begin, int end) {
      for (int i = begin; i < end; ++i) write_observation(i, observation);
    });
  }

  void get_state(void* const* arrays) const override {
    const CallGuard::Call call(*guard(), calls::state);
    for (std::size_t i = 0; i < states_.size(); ++i) {
      State copy = states_[i];  // fields offer setters too, so they ask for a state they may change
      game_.visit(copy, ReadFields{arrays, i});
    }
  }

  void set_state(const void* const* arrays) override {
    const CallGuard::Call call(*guard(), calls::set_state);
    std::vector<State> candidate = states_;
    const std::size_t done = done_field();
    for (std::size_t i = 0; i < candidate.size(); ++i) {
      in_game(i, [&] {
        game_.visit(candidate[i], WriteState{arrays, i});
        // `done` follows from the rest; where it is given all the same it has to agree.
        if (arrays[done] == nullptr) candidate[i].done = game_.over(candidate[i]);
        game_.validate(candidate[i]);
      });
      game_.world().refresh(candidate[i].world);
      candidate[i].pristine = false;
    }
    states_ = std::move(candidate);
    look_for_pristine();
  }

  void replace_followers(const std::vector<int>& identities, std::int64_t population_seed) override {
    const CallGuard::Call call(*guard(), calls::replace_followers);
    check_replacement(identities, population_seed);
    GameConfig strangers = game_.config();
    strangers.population_seed = population_seed;
    strangers.named_population = "drawn";
    game_.set_population(game_.population().with(identities, Population::drawn(strangers)));
    for (const int identity : identities) table_.clear(identity);
    for (State& s : states_) {
      if (s.pristine) game_.reset(s);
    }
  }

  std::string snapshot() const override;
  void restore(const std::string& bytes) override;

 protected:  // for a batch that moves all its games at once (worlds/arrays/)
  using State = typename Game<World>::State;

  // Games below which a piece is not worth another thread's while (a few microseconds of work), and events likewise.
  static constexpr int kSmallestPiece = 8;
  static constexpr std::size_t kEventsOfOne = 1024;

  int size() const { return static_cast<int>(states_.size()); }
  State& state(int i) { return states_[static_cast<std::size_t>(i)]; }

  /// Place of `done` among the state's fields.
  std::size_t done_field() const {
    std::size_t at = 0;
    while (state_fields_[at].name != "done") ++at;
    return at;
  }

  /// Calls f(); what it finds wrong is said of that game.
  template <class F>
  static void in_game(std::size_t game, F&& f) {
    try {
      f();
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument(std::string(error.what()) + " (in game " + std::to_string(game) + ")");
    }
  }

  /// Zero bytes, padding included, so that equal games have equal snapshots.
  static void clear(std::vector<State>& states) {
    std::memset(static_cast<void*>(states.data()), 0, states.size() * sizeof(State));
    if constexpr (requires { states[0].world.game; }) {
      for (std::size_t i = 0; i < states.size(); ++i) states[i].world.game = static_cast<std::int32_t>(i);
    }
  }

  /// Episode 0 of every game; seeds[i], or the batch's seed for all.
  void start(const std::uint64_t* seeds) {
    pool_.run(size(), kSmallestPiece, [&](int begin, int end) {
      for (int i = begin; i < end; ++i) {
        State& s = state(i);
        s.seed = seeds != nullptr ? seeds[i] : batch_.seed;
        s.environment = static_cast<std::uint64_t>(batch_.first_index) + static_cast<std::uint64_t>(i);
        s.episode = 0;
        s.pristine = seeds == nullptr;
        game_.reset(s);
      }
    });
  }

  /// Called whenever games may have begun.
  void look_for_pristine() {
    first_pristine_ = 0;
    while (first_pristine_ < states_.size() && !states_[first_pristine_].pristine) ++first_pristine_;
  }

  void check_begun(const char* call) const {
    if (first_pristine_ < states_.size()) refuse_unbegun(call, first_pristine_);
  }

  // Snapshots, snapshot.hpp.
  std::size_t packed_bytes() const;  // of one game
  void pack(State s, char* to) const;
  /// Throws std::invalid_argument on what is no game; `s` is zero bytes before.
  void unpack(const char* from, State& s) const;
  std::vector<State> unpack_all(const char* games);
  /// Throws std::invalid_argument on what is no snapshot of these games; what the games' own bytes hold is not looked at.
  void check_snapshot(const std::string& bytes) const;
  /// Games, and the table of a snapshot that has been checked.
  void take_over(std::vector<State> games, const std::string& bytes);
  void check_table(const char* in) const;

  void next_episode(State& s) {
    if (!s.pristine) s.episode = (s.episode + 1) % kEpisodes;
    s.pristine = false;
    game_.reset(s);
  }

  /// Every member's events in the order of environments, members shared out among the threads: so the table does not
  /// depend on how many there are.
  void update_statistics() {
    const int members = table_.population, threads = events_.size() < kEventsOfOne ? 1 : pool_.size();
    pool_.run(members, std::max(1, members / threads),
              [&](int first, int last) { table_.apply(events_.data(), events_.size(), first, last); });
  }

  void check_replacement(const std::vector<int>& identities, std::int64_t population_seed) const {
    expect_range(population_seed, std::int64_t{0}, INT64_MAX, "seed");
    std::vector<bool> named(static_cast<std::size_t>(game_.population().size()));
    for (const int identity : identities) {
      expect_range(identity, 0, game_.population().size() - 1, "identities");
      expect(!named[static_cast<std::size_t>(identity)], "identities", "different members",
             std::to_string(identity) + " twice");
      named[static_cast<std::size_t>(identity)] = true;
    }
    for (std::size_t i = 0; i < states_.size(); ++i) {
      const State& s = states_[i];
      expect(s.done || s.pristine, "replace_followers", "every game between episodes: finished, or never reset",
             "game " + std::to_string(i) + " at step " + std::to_string(s.step) + " of episode " +
                 std::to_string(s.episode));
    }
  }

  Offer offer_of(const std::int32_t* action) const {
    if (action[0] == game_.config().num_goals) return {};
    return {static_cast<std::int8_t>(action[0]), static_cast<std::int8_t>(action[1])};
  }

  /// Game i's row of actions [B, N, 2].
  void read_offers(int i, const std::int32_t* actions, Offer* offers) const {
    const std::int32_t* action = actions + static_cast<std::size_t>(i) * static_cast<std::size_t>(n_) * 2;
    for (int k = 0; k < n_; ++k) offers[k] = offer_of(action + 2 * k);
  }

  /// One game's part of a step, with what its autoreset mode asks for.
  void advance(int i, const std::int32_t* actions, const std::int32_t* follower_actions, const BatchResult& result) {
    const std::size_t game = static_cast<std::size_t>(i);
    State& s = state(i);
    typename Game<World>::Step step;
    HistoryEvent* events = events_.data() + game * static_cast<std::size_t>(n_);
    if (s.done) {
      std::fill_n(events, n_, HistoryEvent{});
      const bool resets = batch_.autoreset == Autoreset::next_step;
      if (resets) next_episode(s);
      game_.report_nothing(!resets, step);
    } else {
      Offer offers[World::kMaxFollowers];
      read_offers(i, actions, offers);
      if (follower_actions != nullptr) follower_actions += game * static_cast<std::size_t>(n_);
      game_.step(s, offers, follower_actions, step, events);
    }
    game_.results(step, ReadFields{result.results, game});
    game_.totals(s, ReadFields{result.totals, game});
    if (s.done && batch_.autoreset == Autoreset::same_step) {
      if (result.final_observation.whole != nullptr) write_observation(i, result.final_observation);
      next_episode(s);
    }
    write_observation(i, result.observation);
  }

  void write_observation(int i, const ObservationRows& rows) const {
    const std::size_t game = static_cast<std::size_t>(i);
    game_.observe(states_[game], ObservationWriter{rows.whole, rows.real, states_.size(), game});
  }

  BatchConfig batch_;
  Game<World> game_;
  HistoryTable table_;
  WorkerPool pool_;
  int n_;
  std::vector<State> states_;
  std::size_t first_pristine_ = 0;    // game that was made and not begun, or their number
  std::vector<HistoryEvent> events_;  // [B, N] of the last step
  std::vector<FieldInfo> observation_fields_, state_fields_, result_fields_, total_fields_, follower_fields_;
  RowLength row_length_;
};

}  // namespace paymaster

#include "batch/snapshot.hpp"
