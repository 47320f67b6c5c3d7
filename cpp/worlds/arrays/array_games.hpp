// A world whose rules play all games of a batch at once, over arrays of B games: a world written in Python, say.
//
// Contracts, payments, followers' decisions and statistics stay with the game layer. It calls the rules between the phases
// of a step, for the whole batch, and reads what they have written here.
#pragma once

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "game/fields.hpp"
#include "game/rng.hpp"
#include "game/types.hpp"

namespace paymaster {

/// A world of somebody's own has broken a rule, or failed. Python sees paymaster.WorldError.
class WorldError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Types of a world's own arrays, by NumPy's names.
inline const char* const kArrayDtypes[] = {"bool", "int16", "int32", "int64", "float32", "float64"};

/// One of a world's own arrays [B, ...]: a field of the state, and of the observation if it is shown.
struct WorldArray {
  FieldInfo field;
  int type;    // place among kArrayDtypes
  bool shown;  // to the leader: as int16, or float32
  void* data;  // stays where it is
};

/// Calls f<T>() with an array's type.
template <class F>
void with_type(int type, F&& f) {
  switch (type) {
    case 0: return f.template operator()<bool>();
    case 1: return f.template operator()<std::int16_t>();
    case 2: return f.template operator()<std::int32_t>();
    case 3: return f.template operator()<std::int64_t>();
    case 4: return f.template operator()<float>();
    default: return f.template operator()<double>();
  }
}

/// What the game layer and the rules tell each other; arrays in C order. Games that are over are not `playing`: what the
/// rules write for them counts for nothing.
struct ArrayGames {
  ArrayGames(int games, int followers, int goals);

  const std::size_t games, followers, goals;
  int most_available = INT16_MAX;  // goals of a type
  std::vector<WorldArray> own;

  // For the rules, in a step.
  std::unique_ptr<bool[]> playing;     // [B]
  std::vector<std::int8_t> chosen;     // [B, N] goal type that a follower has taken, -1
  std::vector<std::int8_t> committed;  // [B, N] goal type that it is committed to, -1
  std::vector<std::int8_t> offered;    // [B, N] goal type that the leader offers it, -1
  std::vector<std::uint8_t> action;    // [B, N] primitive; plan() writes it, move() reads it
  std::unique_ptr<bool[]> skill;       // [B, N, G]
  std::vector<std::int32_t> step;      // [B] t, before the move
  std::vector<Draws> draws;            // [B] of this step (draws_of_step), or of the episode that begins
  std::unique_ptr<bool[]> starts;      // [B] games whose episode begins

  // Of each game, for its draws [B].
  std::vector<std::uint64_t> seed, environment;
  std::vector<std::int64_t> episode;
  enum class Drawing { no, reset, move } drawing = Drawing::no;  // who may draw now
  bool step_has_draws = false;  // made when the first is asked for: many worlds move without chance

  // From the rules.
  std::vector<std::int16_t> distance;   // [B, N, G] planned actions before the one that reaches the type, -1
  std::vector<std::int16_t> available;  // [B, G]
  std::unique_ptr<bool[]> exhausted;    // [B]
  std::vector<std::uint8_t> route;      // [B, N, G] first action towards each type; empty: not asked for
  std::unique_ptr<bool[]> reached;      // [B, N, G], and kReadBeyond more
  std::vector<float> follower_reward;   // [B, N] the world's own
  std::vector<double> leader_reward;    // [B]

  static std::size_t bytes_of_game(int followers, int goals) {
    const auto n = static_cast<std::size_t>(followers), g = static_cast<std::size_t>(goals);
    return sizeof(Draws) + 64 + n * (4 + sizeof(float)) + n * g * (2 + 3) + 2 * g;
  }

  /// Those of this step, of games that are playing.
  std::vector<Draws>& draws_of_step();

  static constexpr std::size_t kReadBeyond = 7;  // so that eight can be read at once from anywhere

  std::size_t follower(std::size_t game, int k) const { return game * followers + static_cast<std::size_t>(k); }
  std::size_t pair(std::size_t game, int k, int goal) const {
    return follower(game, k) * goals + static_cast<std::size_t>(goal);
  }
};

/// The rules, called by one thread at a time. Whatever they throw leaves the batch between two steps.
class ArrayRules {
 public:
  virtual ~ArrayRules() = default;
  virtual int actions() const = 0;  // primitive
  /// Begins the episode of each game that `starts`; draws.
  virtual void reset() = 0;
  /// Writes exhausted.
  virtual void end() = 0;
  /// Writes distance, available, and route where it is asked for.
  virtual void look() = 0;
  /// Writes action: the first of each follower's route to what it has chosen.
  virtual void plan() = 0;
  /// Moves games that are playing; writes reached, follower_reward and leader_reward. Draws.
  virtual void move() = 0;
  /// The world's own arrays have been set from outside.
  virtual void restored() = 0;
};

/// Throws WorldError, which names the method, the game and the rule, on what rules may not write.
void check_arrays(const ArrayGames& games, const std::string& method);
void check_look(const ArrayGames& games, const std::string& world, int actions);
void check_plan(const ArrayGames& games, const std::string& world, int actions);
void check_move(const ArrayGames& games, const std::string& world);

}  // namespace paymaster
