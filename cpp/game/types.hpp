// The words of the game, and the letters of every shape: B games, T steps, N followers, G goal types, K bonus levels.
#pragma once

#include <cstdint>

namespace paymaster {

// The most that any world can have; a world may have less (World::kMaxFollowers, kMaxGoals), and is smaller in memory.
inline constexpr int kMaxGoals = 64;        // G; skills are a GoalSet
inline constexpr int kMaxBonuses = 64;      // K
inline constexpr int kMaxFollowers = 1024;  // N
inline constexpr int kMaxHorizon = 10000;
inline constexpr int kMaxPopulation = 65535;    // an identity has 16 bits
inline constexpr float kMaxReservation = 1e6f;  // c, given or set
inline constexpr double kMaxPrice = 1e6;        // of a bonus level; of w, utilities and costs
inline constexpr std::int64_t kEpisodes = std::int64_t{1}
                                          << 62;  // of a game; the one after the last is the first again
inline constexpr int kNone = -1;  // "no goal", "no offer", "nobody", "unreachable", wherever an index could stand

inline constexpr std::int64_t kMaxFirstIndex = (std::int64_t{1} << 62) - 1;  // of a batch's first game

/// Observations show who followers are as int32 where int16 has not room for so many.
inline constexpr bool wide_identities(int population) { return population > 1 << 15; }

/// Goal types: bit g for type g.
using GoalSet = std::uint64_t;
inline bool holds(GoalSet set, int goal) { return set >> goal & 1; }
inline constexpr GoalSet set_of(int goal) { return GoalSet{1} << goal; }

/// The leader's action to one follower, omega^k = (g^k, b^k) (paper Sec. 3). No offer, and an offer of "none", is (-1, -1).
struct Offer {
  std::int8_t goal = kNone;
  std::int8_t bonus = kNone;
  bool operator==(const Offer&) const = default;
};

/// When a bonus is paid: when the contract is completed (M3RL); when it starts, whatever comes of it; then, but not again to
/// a follower that dropped the contract and takes the same offer up once more; or when the follower reaches a goal of the
/// offered type, committed or not.
enum class Payment : std::uint8_t { completion, advance, advance_once, outcome };

/// How rule-based followers decide (contract.hpp): by utility (M3RL's collectors), or on employment (M3RL's crafters), where
/// the price may be squared.
enum class Decision : std::uint8_t { utility, employment, employment_squared };

/// Who decides for the followers: the rule (M3RL), or somebody outside, by goal types (the paper's action abstraction,
/// Sec. 4.3) or by primitive actions.
enum class Followers : std::uint8_t { rule, meta, primitive };

/// What a finished game does when it is stepped on: the three modes of gymnasium.vector.AutoresetMode.
enum class Autoreset : std::uint8_t { next_step, same_step, disabled };

}  // namespace paymaster
