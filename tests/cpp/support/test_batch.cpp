#include "support/test_batch.hpp"

#include <algorithm>
#include <cstdlib>
#include <type_traits>

#include "tasks/tasks.hpp"
#include "worlds/grid/crafting_config.hpp"

namespace paymaster::test {
namespace {

std::size_t size(int n) { return static_cast<std::size_t>(n); }

}  // namespace

int steps_to_play(int usual) {
  const char* steps = std::getenv("PAYMASTER_TEST_STEPS");
  return steps != nullptr ? std::atoi(steps) : usual;
}

bool is_grid(const GameConfig& config) { return config.find_own<GridConfig>() != nullptr; }

bool is_crafting(const GameConfig& config) { return config.find_own<CraftingConfig>() != nullptr; }

bool is_particles(const GameConfig& config) { return config.find_own<ParticleConfig>() != nullptr; }

std::vector<GameConfig> grid_tasks() {
  std::vector<GameConfig> found;
  for (const Task& task : tasks()) {
    if (is_grid(task.preset)) found.push_back(task.preset);
  }
  return found;
}

void StateArrays::write(Batch& batch, const std::vector<std::string>& names) {
  std::vector<void*> all = pointers();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool named = names.empty() || std::find(names.begin(), names.end(), fields()[i].name) != names.end();
    if (!named) all[i] = nullptr;
  }
  batch.set_state(all.data());
}

bool Flags::operator==(const Flags& other) const {
  return size == other.size && std::equal(data.get(), data.get() + size, other.data.get());
}

Rows::Rows(const Batch& batch)
    : whole(size(batch.batch_config().num_envs * batch.row_length().whole)),
      real(size(batch.batch_config().num_envs * batch.row_length().real)) {
  for (const FieldInfo& field : batch.observation_fields())
    (field.real() ? real_counts : whole_counts).push_back(field.places());
}

Rows Rows::row(int game, int games) const {
  Rows out;
  const auto part = [&](const auto& all, const std::vector<int>& counts, auto& one) {
    auto block = all.begin();
    for (const int count : counts) {
      one.insert(one.end(), block + game * count, block + (game + 1) * count);
      block += games * count;
    }
  };
  part(whole, whole_counts, out.whole);
  part(real, real_counts, out.real);
  out.whole_counts = whole_counts;
  out.real_counts = real_counts;
  return out;
}

Results::Results(const Batch& batch)
    : observation(batch),
      final_observation(batch.batch_config().autoreset == Autoreset::same_step ? Rows(batch) : Rows()),
      fields(batch.result_fields(), batch.batch_config().num_envs),
      totals(batch.total_fields(), batch.batch_config().num_envs),
      reward(fields.values<double>("reward")),
      terminated(fields.values<bool>("terminated")),
      committed(fields.values<bool>("committed")),
      refused(fields.find<bool>("refused")),
      completed(fields.values<std::int16_t>("completed")),
      action(fields.values<std::int16_t>("follower_action")),
      payment(fields.values<float>("payment")),
      follower_reward(fields.values<float>("follower_reward")),
      gain(totals.values<float>("gain")),
      payments(totals.values<float>("payments")),
      incentive(totals.values<float>("incentive")),
      total_follower_reward(totals.values<float>("follower_reward")),
      new_offers(totals.values<std::int32_t>("new_offers")),
      length(totals.values<std::int32_t>("length")),
      completions(totals.values<std::int32_t>("completions")),
      field_pointers_(fields.pointers()),
      total_pointers_(totals.pointers()) {}

BatchResult Results::pointers() {
  return {.observation = observation.pointers(),
          .final_observation = final_observation.pointers(),
          .results = field_pointers_.data(),
          .totals = total_pointers_.data()};
}

TestBatch::TestBatch(const GameConfig& config, const BatchConfig& batch, const Population* population)
    : batch_(make_batch(config, batch, population)), results_(*batch_) {
  std::size_t whole = 0, real = 0;
  for (const FieldInfo& field : batch_->observation_fields()) {
    std::size_t& at = field.real() ? real : whole;
    block_[field.name] = {at, size(field.places())};
    at += size(games() * field.places());
  }
  observe();
}

const Results& TestBatch::step(const Offers& offers) {
  try {
    batch_->step(offers.data(), nullptr, results_.pointers());
  } catch (const NotReset&) {
    reset();
    batch_->step(offers.data(), nullptr, results_.pointers());
  }
  return results_;
}

void TestBatch::reset(const std::uint64_t* seeds, const bool* mask) {
  batch_->reset(seeds, mask, results_.observation.pointers());
}

const std::int16_t* TestBatch::observed(const std::string& field, int game) const {
  const Block& block = block_.at(field);
  return results_.observation.whole.data() + block.first + size(game) * block.count;
}

SeenFields TestBatch::seen() const {
  const Rows& rows = results_.observation;
  SeenFields seen;
  SeenFields::visit(seen, batch_->config(), [&]<class T>(const char* name, Column<T>& column, Shape) {
    const auto [at, count] = block_.at(name);
    const auto stride = static_cast<std::ptrdiff_t>(count * sizeof(std::int16_t) / sizeof(T));
    if constexpr (std::is_same_v<T, float>) column = {rows.real.data() + at, static_cast<std::ptrdiff_t>(count)};
    else column = {reinterpret_cast<const T*>(rows.whole.data() + at), stride};
  });
  return seen;
}

OfferStream::OfferStream(std::uint64_t seed, const GameConfig& config, int games, int change_percent)
    : random_(seed),
      goals_(config.num_goals + (config.abstain ? 1 : 0)),
      bonuses_(config.num_bonuses),
      change_percent_(change_percent),
      offers_(size(games * config.num_followers * 2), -1) {}

const Offers& OfferStream::next() {
  for (std::size_t i = 0; i < offers_.size(); i += 2) {
    if (offers_[i] >= 0 && !random_.chance(change_percent_)) continue;
    offers_[i] = random_.below(goals_);
    offers_[i + 1] = random_.below(bonuses_);
  }
  return offers_;
}

}  // namespace paymaster::test
