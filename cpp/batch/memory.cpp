#include "batch/memory.hpp"

#include <string>

#include "game/check.hpp"

#if defined(_WIN32)
#include <windows.h>
#else
#include <unistd.h>
#endif

namespace paymaster {
namespace {

std::string mebibytes(std::uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

std::uint64_t machine_memory() {
#if defined(_WIN32)
  MEMORYSTATUSEX status;
  status.dwLength = sizeof status;
  return GlobalMemoryStatusEx(&status) ? status.ullTotalPhys : 0;
#else
  const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(size) : 0;
#endif
}

void expect_room(int games, std::uint64_t bytes_per_game, std::uint64_t bytes_of_table) {
  const std::uint64_t memory = machine_memory();
  const std::uint64_t needed = static_cast<std::uint64_t>(games) * bytes_per_game + bytes_of_table;
  expect(memory == 0 || needed <= memory, "num_envs", "games that fit into this machine's " + mebibytes(memory),
         std::to_string(games) + " of " + std::to_string(bytes_per_game) + " bytes and statistics of " +
             mebibytes(bytes_of_table));
}

}  // namespace paymaster
