// A C++ world for the table of tasks: kKind<World>, or a class of its own over KindOf<World> for one that comes in several
// sizes.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "batch/game_batch.hpp"
#include "batch/memory.hpp"

namespace paymaster {

template <class World>
std::unique_ptr<Batch> games_of(const GameConfig& game, const BatchConfig& batch, Population people) {
  expect_room(batch.num_envs, GameBatch<World>::bytes_of_game(game),
              HistoryTable::bytes(people.size(), game.num_goals, game.num_bonuses, game.horizon));
  return std::make_unique<GameBatch<World>>(game, batch, std::move(people), World(game));
}

template <class World>
class KindOf : public WorldKind {
 public:
  constexpr KindOf() = default;
  const char* name() const override { return World::kName; }
  int max_followers() const override { return World::kMaxFollowers; }
  int max_goals() const override { return World::kMaxGoals; }
  int actions() const override { return World::kActions; }
  std::unique_ptr<WorldParameters> parameters() const override {
    if constexpr (requires { typename World::Parameters; }) return std::make_unique<typename World::Parameters>();
    else return nullptr;
  }
  int goal_objects(const GameConfig& config) const override { return World::goal_objects(config); }
  std::vector<BodyField> body(const GameConfig& config) const override {
    if constexpr (requires { World::body(config); }) return World::body(config);
    else return {};  // distances say all there is
  }
  std::vector<FeatureField> features(const GameConfig& config) const override {
    if constexpr (requires { World::features(config); }) return World::features(config);
    else return {};
  }
  bool draw_traits(const GameConfig& config, Draws& draws, Traits* traits) const override {
    if constexpr (requires { World::draw_traits(config, draws, traits); }) {
      World::draw_traits(config, draws, traits);
      return true;
    }
    return WorldKind::draw_traits(config, draws, traits);
  }
  PlaneWorld planes(const GameConfig& config) const override {
    if constexpr (requires { World::planes(config); }) return World::planes(config);
    else return {};
  }
  std::unique_ptr<Batch> games(const GameConfig& game, const BatchConfig& batch, Population people) const override {
    return games_of<World>(game, batch, std::move(people));
  }
};

template <class World>
inline constexpr KindOf<World> kKind;

}  // namespace paymaster
