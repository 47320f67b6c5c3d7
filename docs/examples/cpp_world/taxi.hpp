// The taxi world of docs/examples/taxi_world.py in C++: the same numbers for the same seed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "game/check.hpp"
#include "game/config.hpp"
#include "game/fields.hpp"
#include "game/rng.hpp"
#include "game/world.hpp"

namespace paymaster {

struct TaxiConfig final : WorldParameters {
  double demand = 0.6, fare = 0.8, commission = 0.2, fuel = 0.05;

  std::unique_ptr<WorldParameters> clone() const override { return std::make_unique<TaxiConfig>(*this); }
  void visit(ParameterVisitor& visitor) override {
    visitor("demand", demand, "probability that a passenger comes to zone 0 in a step; zone g has 1 / (g + 1) of it", 0,
            1);
    visitor("fare", fare, "what a driver earns for a passenger", 0, 100);
    visitor("commission", commission, "what the platform earns for a passenger", 0, 100);
    visitor("fuel", fuel, "what a driver pays for a drive between zones", 0, 100);
  }
  void validate(const GameConfig&) const override {}
};

/// Zones on a ring with a bridge across, each a goal type. Passengers wait in them; the first drivers there take them.
class TaxiWorld {
 public:
  static constexpr const char* kName = "taxi";
  static constexpr int kMaxFollowers = 64, kMaxGoals = 64;
  static constexpr int kStay = 0, kActions = 4;
  static constexpr int kMostWaiting = 3;
  using Parameters = TaxiConfig;

  struct State {
    std::int16_t zone[kMaxFollowers];
    std::int16_t waiting[kMaxGoals];
  };

  explicit TaxiWorld(const GameConfig& config)
      : n_(config.num_followers), zones_(config.num_goals), own_(config.own<TaxiConfig>()) {
    const int ways[kActions] = {0, 1, zones_ - 1, zones_ / 2};
    for (int from = 0; from < zones_; ++from) {
      for (int a = 0; a < kActions; ++a) to_[from][a] = (from + ways[a]) % zones_;
      for (int to = 0; to < zones_; ++to) hops_[from][to] = from == to ? 0 : zones_;
    }
    for (int round = 0; round < zones_; ++round) {
      for (int from = 0; from < zones_; ++from) {
        for (int to = 0; to < zones_; ++to)
          hops_[from][to] = std::min(hops_[from][to], 1 + hops_[nearer(from, to)][to]);
      }
    }
  }

  void reset(State& s, Draws& draws) const {
    for (int k = 0; k < n_; ++k) s.zone[k] = static_cast<std::int16_t>(draws.below(static_cast<std::uint32_t>(zones_)));
    for (int g = 0; g < zones_; ++g) s.waiting[g] = static_cast<std::int16_t>(draws.below(kMostWaiting));
  }
  void refresh(State&) const {}
  bool exhausted(const State&) const { return false; }

  int available(const State& s, int goal) const { return s.waiting[goal]; }
  static int goal_objects(const GameConfig&) { return kMostWaiting; }
  int distance(const State& s, int follower, int goal) const {
    return s.waiting[goal] > 0 ? std::max(hops_[s.zone[follower]][goal] - 1, 0) : kNone;
  }
  void plan(const State& s, const std::int8_t* chosen, std::uint8_t* actions) const {
    for (int k = 0; k < n_; ++k) {
      const int zone = s.zone[k];
      actions[k] = static_cast<std::uint8_t>(chosen[k] == kNone ? kStay : way(zone, chosen[k]));
    }
  }
  static constexpr std::uint32_t kNoiseActions = kActions;
  static std::uint8_t noise_action(std::uint32_t index) { return static_cast<std::uint8_t>(index); }

  void move(State& s, const MoveContext& context, GoalSet* reached, Earned& earned) const {
    Draws draws(context.seed, Stream::world, static_cast<std::uint64_t>(context.step),
                static_cast<std::uint64_t>(context.episode), context.environment);
    int picked = 0;
    for (int k = 0; k < n_; ++k) {
      const int zone = to_[s.zone[k]][context.action[k]];
      s.zone[k] = static_cast<std::int16_t>(zone);
      const bool picks = s.waiting[zone] > 0 && holds(context.skill[k], zone);
      reached[k] = picks ? set_of(zone) : 0;
      s.waiting[zone] = static_cast<std::int16_t>(s.waiting[zone] - picks);
      picked += picks;
      earned.follower[k] = static_cast<float>(own_.fare * picks - own_.fuel * (context.action[k] != kStay));
    }
    earned.leader = own_.commission * picked;
    for (int g = 0; g < zones_; ++g) {
      const bool comes = draws.unit() < own_.demand / (1 + g);
      s.waiting[g] = static_cast<std::int16_t>(std::min(s.waiting[g] + comes, kMostWaiting));
    }
  }

  template <class Visitor>
  void observe(const State& s, Visitor&& field) const {
    field("zone", "where each driver is", Shape{n_, 0}, Whole(0, zones_ - 1), [&](int k, int) { return s.zone[k]; });
    field("waiting", "passengers in each zone", Shape{zones_, 0}, Whole(0, kMostWaiting),
          [&](int g, int) { return s.waiting[g]; });
  }
  template <class S, class Visitor>
  void visit(S& s, Visitor&& field) const {
    const auto numbers = [&field](const char* name, const char* meaning, int count, int high, auto* values) {
      field(
          name, meaning, Shape{count, 0}, std::int16_t{}, [values](int i, int) { return values[i]; },
          [values, name, high](int i, int, std::int16_t value) {
            expect_range<int>(value, 0, high, name);
            values[i] = value;
          });
    };
    numbers("zone", "where each driver is", n_, zones_ - 1, s.zone);
    numbers("waiting", "passengers in each zone", zones_, kMostWaiting, s.waiting);
  }
  void validate(const State&) const {}

 private:
  /// The first of the actions whose way is shortest.
  int way(int from, int to) const {
    int best = 0;
    for (int a = 1; a < kActions; ++a)
      if (hops_[to_[from][a]][to] < hops_[to_[from][best]][to]) best = a;
    return best;
  }
  int nearer(int from, int to) const { return to_[from][way(from, to)]; }

  int n_, zones_;
  TaxiConfig own_;
  int to_[kMaxGoals][kActions], hops_[kMaxGoals][kMaxGoals];
};

}  // namespace paymaster
