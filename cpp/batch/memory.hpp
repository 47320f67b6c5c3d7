// Whether games fit into this machine. The system grants memory that it does not have and then kills whoever uses it, so
// what is far too large is refused before anything is made.
#pragma once

#include <cstdint>

namespace paymaster {

/// Bytes of memory that this machine has, 0 where it does not tell.
std::uint64_t machine_memory();

/// Throws std::invalid_argument when `games` games of so many bytes, beside a table, need more than the machine has.
void expect_room(int games, std::uint64_t bytes_per_game, std::uint64_t bytes_of_table);

}  // namespace paymaster
