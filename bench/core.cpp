// Steps per second of the bare core, without Python: bench_core [task] [games] [steps] [threads].
// With a fixed seed it also serves callgrind, whose instruction counts are repeatable.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "batch/batch.hpp"
#include "game/field_memory.hpp"
#include "game/rng.hpp"
#include "tasks/tasks.hpp"

using namespace paymaster;

int main(int argc, char** argv) {
  const std::string task = argc > 1 ? argv[1] : "resource_collection";
  const int games = argc > 2 ? std::atoi(argv[2]) : 1024;
  const int steps = argc > 3 ? std::atoi(argv[3]) : 300;
  const int threads = argc > 4 ? std::atoi(argv[4]) : 1;
  const GameConfig config = find_task(task).preset;
  BatchConfig batch_config;
  batch_config.num_envs = games;
  batch_config.num_threads = threads;
  const auto batch = make_batch(config, batch_config, nullptr);

  const auto b = static_cast<std::size_t>(games), n = static_cast<std::size_t>(config.num_followers);
  std::vector<std::int16_t> whole(b * static_cast<std::size_t>(batch->row_length().whole));
  std::vector<float> real(b * static_cast<std::size_t>(batch->row_length().real));
  std::vector<std::int32_t> offers(b * n * 2);
  FieldMemory results(batch->result_fields(), games), totals(batch->total_fields(), games);
  const std::vector<void*> result_pointers = results.pointers(), total_pointers = totals.pointers();
  const std::span<double> reward = results.values<double>("reward");
  BatchResult result;
  result.observation = {whole.data(), real.data()};
  result.results = result_pointers.data();
  result.totals = total_pointers.data();

  // Offers are kept for ten steps, so that contracts run as they do under a leader worth its name.
  Draws draws(1, Stream::reset, 0, 0, 0);
  double gain = 0;
  batch->reset(nullptr, nullptr, result.observation);
  const auto start = std::chrono::steady_clock::now();
  for (int t = 0; t < steps; ++t) {
    if (t % 10 == 0) {
      for (std::size_t i = 0; i < offers.size(); i += 2) {
        offers[i] = static_cast<std::int32_t>(draws.below(static_cast<std::uint32_t>(config.num_goals)));
        offers[i + 1] = static_cast<std::int32_t>(draws.below(static_cast<std::uint32_t>(config.num_bonuses)));
      }
    }
    batch->step(offers.data(), nullptr, result);
    for (const double r : reward) gain += r;
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("%s: %d games, %d steps, %d threads: %.0f steps/s, gain %.3f a step\n", task.c_str(), games, steps,
              threads, games * steps / seconds.count(), gain / games / steps);
  return 0;
}
