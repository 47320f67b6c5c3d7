// What a follower's surroundings look like as planes, one number for each cell: the inputs of M3RL (Shu & Tian 2019). In
// this order:
//   free; wall; one of each type of object         one-hot: a cell is one of these
//   amounts, if the world has any                   constant planes of whole numbers
//   own row, own column, own heading                constant planes, one-hot
//
// A cell's planes take few values, so a cell is a code: kNothing, kFree, kWall, kObject + type. A follower is then a code a
// cell, and a number for each constant plane. Networks can look up what a plane-wise convolution makes of a code in place
// of computing it for every cell (networks/planes.py).
#pragma once

#include <cstdint>
#include <vector>

#include "features/candidates.hpp"
#include "game/config.hpp"
#include "game/world.hpp"

namespace paymaster {

/// The fields that planes are made of.
struct PlaneFields {
  Column<std::int32_t> wide_identity;                 // where wide_identities() says so, else the next
  Column<std::int16_t> identity;                      // [B, N]
  Column<std::int16_t> action, position, heading;     // [B, N], [B, N, 2], [B, N]
  Column<std::int16_t> object_type, object_position;  // [B, M], [B, M, 2]
  Column<std::int16_t> amount;                        // [B, amounts]
};

class PlaneEncoder {
 public:
  enum Code : std::uint8_t { kNothing = 0, kFree = 1, kWall = 2, kObject = 3 };

  /// With `see_others` a cell where another follower stands is not free: it is kNothing. M3RL means to show others, and
  /// does not. Throws std::invalid_argument for a world without cells.
  PlaneEncoder(const GameConfig& config, bool see_others);

  const PlaneWorld& world() const { return world_; }
  int cells() const { return world_.rows * world_.columns; }
  int codes() const { return kObject + world_.types; }
  int cell_planes() const { return 2 + world_.types; }  // by cell
  int constant_planes() const { return world_.amounts + world_.rows + world_.columns + 4; }
  int planes() const { return cell_planes() + constant_planes(); }  // P
  /// A code for each cell, the constant planes, the last action and the identity.
  int follower_features() const { return cells() + constant_planes() + 2; }

  /// Writes follower_features() numbers for each follower: out [B, N, F]. Throws std::invalid_argument, with nothing
  /// written, on a position, heading, type, amount, action or identity out of range.
  void encode(const PlaneFields& seen, std::size_t games, float* out) const;
  /// Writes the planes themselves: out [B, N, P, rows, columns].
  void expand(const PlaneFields& seen, std::size_t games, float* out) const;

 private:
  void check(const PlaneFields& seen, std::size_t games) const;
  int identity_of(const PlaneFields& seen, std::size_t game, int follower) const;
  /// The codes of a game's cells as follower k sees them.
  void look(const PlaneFields& seen, std::size_t game, int k, std::uint8_t* codes) const;
  void write_constant(const PlaneFields& seen, std::size_t game, int k, float* out) const;

  PlaneWorld world_;
  bool see_others_;
  int n_, actions_, population_;
};

}  // namespace paymaster
