// B games of a world whose rules play all of them at once. Between the phases of a step (Game::respond, override_actions,
// settle) the rules are called once for the whole batch.
//
// Rules may fail in the middle of a step. Then followers have answered offers, and nobody has moved: such a batch says so
// at every call, until reset() with seeds, restore() or set_state() of everything gives it whole games again.
//
// Longer than other files: one idea, a step for all games at once, and what has to go with it where it fails.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "batch/game_batch.hpp"
#include "worlds/arrays/array_world.hpp"

namespace paymaster {

template <class World>
class ArrayBatch final : public GameBatch<World> {
  using Base = GameBatch<World>;
  using typename Base::State;
  static constexpr int kRoom = World::kMaxFollowers;

 public:
  ArrayBatch(const GameConfig& config, const BatchConfig& batch, Population people, std::shared_ptr<ArrayGames> games,
             std::unique_ptr<ArrayRules> rules)
      : Base(config, batch, std::move(people), World(games, rules->actions())),
        games_(std::move(games)),
        rules_(std::move(rules)),
        name_(short_name(config.world->name())),
        overrides_(config.follower_kind() == Followers::primitive || config.noise > 0),
        paid_(games_->games * games_->followers) {
    for (const WorldArray& array : games_->own) check_name(array);
    games_->most_available = std::min(config.world->goal_objects(config), INT16_MAX);
    begin_episodes();
    look();
  }

  void reset(const std::uint64_t* seeds, const bool* mask, const ObservationRows& observation) override {
    const CallGuard::Call call(*this->guard(), calls::reset);
    if (seeds == nullptr) expect_whole("reset");
    Change change(broken_);
    if (seeds != nullptr) {
      this->start(seeds);
    } else {
      for (int i = 0; i < this->size(); ++i)
        if (mask == nullptr || as_bool(mask + i)) this->next_episode(this->state(i));
    }
    this->look_for_pristine();
    begin_episodes();
    look();
    change.done();
    Base::observe(observation);
  }

  void offer(const std::int32_t* actions, void* const* followers) override {
    expect_whole("offer");
    Base::offer(actions, followers);
  }

  void step(const std::int32_t* actions, const std::int32_t* follower_actions, const BatchResult& result) override {
    const CallGuard::Call call(*this->guard(), calls::step);
    expect_whole("step");
    this->check_begun("step");
    check_offers(this->game_.config(), actions, this->states_.size());
    if (follower_actions != nullptr)
      check_follower_actions(this->game_.choices(), this->n_, follower_actions, this->states_.size());
    Change change(broken_);
    each_game([&](int i) { respond(i, actions, follower_actions); });
    rules_->plan();
    check_plan(*games_, name_, rules_->actions());
    if (overrides_) each_game([&](int i) { override_actions(i, follower_actions); });
    games_->step_has_draws = false;
    draw_in(ArrayGames::Drawing::move, [&] { rules_->move(); });
    check_move(*games_, name_);
    check_arrays(*games_, name_ + ".move");
    rules_->end();
    each_game([&](int i) { settle(i, result); });
    if (this->batch_.autoreset == Autoreset::same_step) show_ends(result);
    begin_episodes();
    look();
    change.done();
    if (!this->table_.frozen) this->update_statistics();
    each_game([&](int i) { this->write_observation(i, result.observation); });
  }

  void observe(const ObservationRows& observation) override {
    expect_whole("observe");
    Base::observe(observation);
  }

  void set_state(const void* const* arrays) override {
    const CallGuard::Call call(*this->guard(), calls::set_state);
    const std::size_t done = this->done_field();
    bool everything = true;  // `done` follows from the rest
    for (std::size_t i = 0; i < this->state_fields_.size(); ++i) everything &= arrays[i] != nullptr || i == done;
    if (!everything) expect_whole("set_state");
    change_games(
        [&](std::vector<State>& games) {
          for (std::size_t i = 0; i < games.size(); ++i)
            this->in_game(i, [&] { this->game_.visit(games[i], WriteState{arrays, i}); });
        },
        [&](State& s) {
          if (arrays[done] == nullptr) s.done = this->game_.over(s);
          this->game_.validate(s);
          s.pristine = false;
        });
    this->look_for_pristine();
  }

  void replace_followers(const std::vector<int>& identities, std::int64_t population_seed) override {
    expect_whole("replace_followers");
    Base::replace_followers(identities, population_seed);
    Change change(broken_);
    begin_episodes();
    look();
    change.done();
  }

  std::string snapshot() const override {
    expect_whole("snapshot");
    return Base::snapshot();
  }

  void restore(const std::string& bytes) override {
    const CallGuard::Call call(*this->guard(), calls::restore);
    this->check_snapshot(bytes);
    const std::size_t game_bytes = this->packed_bytes();
    change_games(
        [&](std::vector<State>& games) {
          this->clear(games);
          for (std::size_t i = 0; i < games.size(); ++i) {
            UnpackState packed{bytes.data() + sizeof(SnapshotHeader) + i * game_bytes};
            this->in_game(i, [&] {
              visit_keys(games[i], this->game_, packed);
              this->game_.visit(games[i], packed);
            });
          }
        },
        [&](State& s) { this->game_.validate(s); });
    this->take_over(std::move(this->states_), bytes);
  }

 private:
  /// Says that the batch is broken until done().
  class Change {
   public:
    explicit Change(bool& broken) : broken_(broken) { broken_ = true; }
    void done() { broken_ = false; }

   private:
    bool& broken_;
  };

  /// Each field of the game has a name of its own.
  void check_name(const WorldArray& array) const {
    const auto found = [&](const std::vector<FieldInfo>& fields) {
      return std::count_if(fields.begin(), fields.end(),
                           [&](const FieldInfo& f) { return f.name == array.field.name; });
    };
    const bool alone = found(this->state_fields_) == 1 && found(this->observation_fields_) == (array.shown ? 1 : 0) &&
                       found(this->follower_fields_) == 0;
    expect(alone, name_ + ".setup", "arrays of other names than the game's own fields", quoted(array.field.name));
  }

  /// Line of "module:Line".
  static std::string short_name(const std::string& name) { return name.substr(name.find(':') + 1); }

  void expect_whole(const char* call) const {
    if (broken_)
      throw WorldError(std::string(call) + ": expected whole games, got games between two steps, because " + name_ +
                       " failed in one; reset(seed=...) or restore() gives whole ones");
  }

  template <class F>
  void each_game(F&& f) {
    this->pool_.run(this->size(), Base::kSmallestPiece, [&](int begin, int end) {
      for (int i = begin; i < end; ++i) f(i);
    });
  }

  void look() {
    rules_->look();
    check_look(*games_, name_, rules_->actions());
  }

  /// Draws belong to one call of the rules.
  template <class F>
  void draw_in(ArrayGames::Drawing call, F&& f) {
    struct Ends {
      ArrayGames& games;
      ~Ends() { games.drawing = ArrayGames::Drawing::no; }
    } ends{*games_};
    games_->drawing = call;
    f();
  }

  /// At arrays that were set from outside.
  void look_again() {
    rules_->restored();
    rules_->end();
    look();
  }

  /// What is the same in all of an episode: what its followers can do, and the keys of its draws.
  void tell_episode(const State& s) {
    const auto game = static_cast<std::size_t>(s.world.game);
    games_->seed[game] = s.seed;
    games_->environment[game] = s.environment;
    games_->episode[game] = s.episode;
    bool* can = games_->skill.get() + games_->pair(game, 0, 0);
    for (int k = 0; k < this->n_; ++k) {
      for (std::size_t g = 0; g < games_->goals; ++g) *can++ = holds(s.follower[k].skill, static_cast<int>(g));
    }
  }

  /// Of games that have been reset.
  void begin_episodes() {
    if (std::find(games_->starts.get(), games_->starts.get() + games_->games, true) ==
        games_->starts.get() + games_->games)
      return;
    for (const State& s : this->states_)
      if (games_->starts[static_cast<std::size_t>(s.world.game)]) tell_episode(s);
    draw_in(ArrayGames::Drawing::reset, [&] { rules_->reset(); });
    check_arrays(*games_, name_ + ".reset");
    rules_->end();
    for (std::size_t i = 0; i < games_->games; ++i) {
      if (games_->starts[i] && games_->exhausted[i])
        throw WorldError(name_ + ".reset (game " + std::to_string(i) +
                         "): expected an episode with something left to do, got one that exhausted() says is over");
    }
    std::fill_n(games_->starts.get(), games_->games, false);
  }

  void respond(int i, const std::int32_t* actions, const std::int32_t* follower_actions) {
    const auto game = static_cast<std::size_t>(i);
    State& s = this->state(i);
    const std::size_t first = games_->follower(game, 0);
    HistoryEvent* events = this->events_.data() + first;
    games_->playing[game] = !s.done;
    games_->step[game] = s.step;
    if (s.done) {
      std::fill_n(events, this->n_, HistoryEvent{});
      std::fill_n(games_->chosen.data() + first, this->n_, std::int8_t{kNone});
      return;
    }
    Offer offers[kRoom];
    this->read_offers(i, actions, offers);
    if (follower_actions != nullptr) follower_actions += first;
    this->game_.respond(s, offers, follower_actions, games_->chosen.data() + first, paid_.data() + first, events);
    for (int k = 0; k < this->n_; ++k) {
      const Follower& f = s.follower[k];
      games_->offered[first + static_cast<std::size_t>(k)] = f.offer.goal;
      games_->committed[first + static_cast<std::size_t>(k)] = f.committed ? f.offer.goal : std::int8_t{kNone};
    }
  }

  void override_actions(int i, const std::int32_t* follower_actions) {
    const State& s = this->state(i);
    if (s.done) return;
    const std::size_t first = games_->follower(static_cast<std::size_t>(i), 0);
    if (follower_actions != nullptr) follower_actions += first;
    this->game_.override_actions(s, follower_actions, games_->action.data() + first);
  }

  void settle(int i, const BatchResult& result) {
    const auto game = static_cast<std::size_t>(i);
    State& s = this->state(i);
    typename Game<World>::Step step;
    if (!games_->playing[game]) {
      const bool resets = this->batch_.autoreset == Autoreset::next_step;
      if (resets) this->next_episode(s);
      this->game_.report_nothing(!resets, step);
    } else {
      const std::size_t first = games_->follower(game, 0);
      GoalSet reached[kRoom];
      float wages[kRoom];
      Earned earned{wages};
      this->game_.world().move(s.world, {}, reached, earned);
      this->game_.settle(s, games_->chosen.data() + first, games_->action.data() + first, reached, paid_.data() + first,
                         earned, step, this->events_.data() + first);
    }
    this->game_.results(step, ReadFields{result.results, game});
    this->game_.totals(s, ReadFields{result.totals, game});
  }

  /// The last observations of games that have ended in the step; then their next episodes.
  void show_ends(const BatchResult& result) {
    const auto over = [](const State& s) { return s.done; };
    if (std::none_of(this->states_.begin(), this->states_.end(), over)) return;
    look();
    each_game([&](int i) {
      State& s = this->state(i);
      if (!s.done) return;
      if (result.final_observation.whole != nullptr) this->write_observation(i, result.final_observation);
      this->next_episode(s);
    });
  }

  /// Sets games, and the world's arrays with them, by `set`; looks at them, and checks each by `check`. Where anything
  /// fails all is as it was.
  template <class Set, class Check>
  void change_games(Set&& set, Check&& check) {
    std::vector<std::vector<char>> before;
    for (const WorldArray& array : games_->own)
      before.emplace_back(static_cast<char*>(array.data), static_cast<char*>(array.data) + bytes_of(array));
    std::vector<State> candidate = this->states_;
    const bool was_broken = broken_;
    Change change(broken_);
    try {
      set(candidate);
      look_again();
      for (std::size_t i = 0; i < candidate.size(); ++i) this->in_game(i, [&] { check(candidate[i]); });
    } catch (...) {
      for (std::size_t i = 0; i < before.size(); ++i)
        std::memcpy(games_->own[i].data, before[i].data(), before[i].size());
      if (!was_broken) {
        look_again();
        change.done();
      }
      throw;
    }
    this->states_ = std::move(candidate);
    for (const State& s : this->states_) tell_episode(s);
    std::fill_n(games_->starts.get(), games_->games, false);
    change.done();
  }

  std::size_t bytes_of(const WorldArray& array) const {
    return games_->games * static_cast<std::size_t>(array.field.shape.count()) * array.field.item_size;
  }

  std::shared_ptr<ArrayGames> games_;
  std::unique_ptr<ArrayRules> rules_;
  std::string name_;
  bool overrides_;           // planned actions may give way to others
  std::vector<float> paid_;  // [B, N] in advance, in this step
  bool broken_ = false;
};

}  // namespace paymaster
