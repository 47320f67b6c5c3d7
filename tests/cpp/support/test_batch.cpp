#include "support/test_batch.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <type_traits>

#include "paymaster/registry.hpp"

namespace paymaster::test {
namespace {

std::size_t bytes_of(const std::string& dtype) {
  if (dtype == "bool") return 1;
  if (dtype == "int16") return 2;
  return dtype == "int64" || dtype == "float64" ? 8 : 4;
}

std::size_t size(int n) { return static_cast<std::size_t>(n); }

}  // namespace

int steps_to_play(int usual) {
  const char* steps = std::getenv("PAYMASTER_TEST_STEPS");
  return steps != nullptr ? std::atoi(steps) : usual;
}

bool is_grid(const GameConfig& config) { return config.world->options == OwnOptions::grid; }

bool is_particles(const GameConfig& config) { return config.world->options == OwnOptions::particles; }

std::vector<GameConfig> grid_tasks() {
  std::vector<GameConfig> found;
  for (const Task& task : tasks()) {
    if (is_grid(task.preset)) found.push_back(task.preset);
  }
  return found;
}

StateArrays::StateArrays(const Batch& batch) : fields_(batch.state_fields()) {
  for (const FieldInfo& field : fields_) {
    index_[field.name] = buffers_.size();
    buffers_.emplace_back(size(batch.batch_config().num_envs * field.shape.count()) * bytes_of(field.dtype));
  }
}

void StateArrays::read(const Batch& batch) {
  std::vector<void*> pointers;
  for (auto& buffer : buffers_) pointers.push_back(buffer.data());
  batch.get_state(pointers.data());
}

void StateArrays::write(Batch& batch, const std::vector<std::string>& names) const {
  std::vector<const void*> pointers(buffers_.size(), nullptr);
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    const bool named = names.empty() || std::find(names.begin(), names.end(), fields_[i].name) != names.end();
    if (named) pointers[i] = buffers_[i].data();
  }
  batch.set_state(pointers.data());
}

bool StateArrays::finite() const {
  const auto all_finite = [](const auto* first, std::size_t bytes) {
    return std::all_of(first, first + bytes / sizeof *first, [](auto x) { return std::isfinite(x); });
  };
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    const std::byte* data = buffers_[i].data();
    const std::size_t bytes = buffers_[i].size();
    if (fields_[i].dtype == "float64" && !all_finite(reinterpret_cast<const double*>(data), bytes)) return false;
    if (fields_[i].dtype == "float32" && !all_finite(reinterpret_cast<const float*>(data), bytes)) return false;
  }
  return true;
}

bool Flags::operator==(const Flags& other) const {
  return size == other.size && std::equal(data.get(), data.get() + size, other.data.get());
}

Rows::Rows(const Batch& batch)
    : whole(size(batch.batch_config().num_envs * batch.row_length().whole)),
      real(size(batch.batch_config().num_envs * batch.row_length().real)) {
  for (const FieldInfo& field : batch.observation_fields())
    (field.dtype == "int16" ? whole_counts : real_counts).push_back(field.shape.count());
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
      terminated(size(batch.batch_config().num_envs)),
      committed(terminated.size * size(batch.config().num_followers)) {
  const std::size_t b = terminated.size, bn = committed.size;
  completed.resize(bn);
  action.resize(bn);
  reward.resize(b);
  payment.resize(bn);
  follower_reward.resize(bn);
  for (auto* total : {&gain, &payments, &incentive, &total_follower_reward}) total->resize(b);
  for (auto* total : {&events, &length}) total->resize(b);
  completions.resize(b * size(batch.config().num_goals));
}

BatchResult Results::pointers() {
  return {.observation = observation.pointers(),
          .final_observation = final_observation.pointers(),
          .reward = reward.data(),
          .terminated = terminated.data.get(),
          .committed = committed.data.get(),
          .completed = completed.data(),
          .payment = payment.data(),
          .follower_reward = follower_reward.data(),
          .follower_action = action.data(),
          .gain = gain.data(),
          .payments = payments.data(),
          .incentive = incentive.data(),
          .total_follower_reward = total_follower_reward.data(),
          .events = events.data(),
          .length = length.data(),
          .completions = completions.data()};
}

TestBatch::TestBatch(const GameConfig& config, const BatchConfig& batch, const std::vector<Traits>* population)
    : batch_(make_batch(config, batch, population)), results_(*batch_) {
  std::size_t whole = 0, real = 0;
  for (const FieldInfo& field : batch_->observation_fields()) {
    std::size_t& at = field.dtype == "int16" ? whole : real;
    block_[field.name] = {at, size(field.shape.count())};
    at += size(games() * field.shape.count());
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
    const auto stride = static_cast<std::ptrdiff_t>(count);
    if constexpr (std::is_same_v<T, float>) column = {rows.real.data() + at, stride};
    else column = {rows.whole.data() + at, stride};
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
