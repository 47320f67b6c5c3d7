// The NumPy arrays that a batch writes its observations and results to.
#pragma once

#include <algorithm>
#include <cstdint>

#include "bindings.hpp"
#include "paymaster/batch.hpp"

namespace paymaster::bindings {

template <class T>
using Array = py::array_t<T, py::array::c_style>;

/// Observations of B games (or of none): int16 fields and float32 fields.
struct ObservationArrays {
  Array<std::int16_t> whole;
  Array<float> real;

  ObservationArrays() = default;
  ObservationArrays(py::ssize_t games, RowLength length) : whole(games * length.whole), real(games * length.real) {}

  void clear() {
    std::fill_n(whole.mutable_data(), whole.size(), std::int16_t{0});
    std::fill_n(real.mutable_data(), real.size(), 0.0f);
  }
  ObservationRows pointers() {
    return whole.size() > 0 ? ObservationRows{whole.mutable_data(), real.mutable_data()} : ObservationRows{};
  }
  py::tuple tuple() const { return py::make_tuple(whole, real); }
};

/// What followers know of themselves and of the offers.
struct FollowerArrays {
  Array<std::int16_t> offered, preference;
  Array<bool> asked, skill;
  Array<float> reservation, due;

  explicit FollowerArrays(const Batch& batch) {
    const py::ssize_t b = batch.batch_config().num_envs, n = batch.config().num_followers;
    offered = Array<std::int16_t>({b, n, py::ssize_t{2}});
    asked = Array<bool>({b, n});
    skill = Array<bool>({b, n, static_cast<py::ssize_t>(batch.config().num_goals)});
    preference = Array<std::int16_t>({b, n});
    reservation = Array<float>({b, n});
    due = Array<float>({b, n});
  }
  FollowerRows pointers() {
    return {offered.mutable_data(),    asked.mutable_data(),       skill.mutable_data(),
            preference.mutable_data(), reservation.mutable_data(), due.mutable_data()};
  }
  py::tuple tuple() const { return py::make_tuple(offered, asked, skill, preference, reservation, due); }
};

/// One step's results.
struct Results {
  ObservationArrays observation, final_observation;
  Array<std::int16_t> completed, follower_action;
  Array<double> reward;
  Array<bool> terminated, committed;
  Array<float> payment, follower_reward, gain, payments, incentive, total_follower_reward;
  Array<std::int32_t> events, length, completions;

  Results(const Batch& batch, bool with_final) {
    const py::ssize_t b = batch.batch_config().num_envs, n = batch.config().num_followers;
    observation = ObservationArrays(b, batch.row_length());
    final_observation = ObservationArrays(with_final ? b : 0, batch.row_length());
    final_observation.clear();
    reward = Array<double>(b);
    terminated = Array<bool>(b);
    committed = Array<bool>({b, n});
    completed = Array<std::int16_t>({b, n});
    payment = Array<float>({b, n});
    follower_reward = Array<float>({b, n});
    follower_action = Array<std::int16_t>({b, n});
    for (auto* total : {&gain, &payments, &incentive, &total_follower_reward}) *total = Array<float>(b);
    for (auto* total : {&events, &length}) *total = Array<std::int32_t>(b);
    completions = Array<std::int32_t>({b, static_cast<py::ssize_t>(batch.config().num_goals)});
  }

  BatchResult pointers() {
    return {.observation = observation.pointers(),
            .final_observation = final_observation.pointers(),
            .reward = reward.mutable_data(),
            .terminated = terminated.mutable_data(),
            .committed = committed.mutable_data(),
            .completed = completed.mutable_data(),
            .payment = payment.mutable_data(),
            .follower_reward = follower_reward.mutable_data(),
            .follower_action = follower_action.mutable_data(),
            .gain = gain.mutable_data(),
            .payments = payments.mutable_data(),
            .incentive = incentive.mutable_data(),
            .total_follower_reward = total_follower_reward.mutable_data(),
            .events = events.mutable_data(),
            .length = length.mutable_data(),
            .completions = completions.mutable_data()};
  }

  py::tuple tuple() const {
    return py::make_tuple(observation.tuple(), reward, terminated, committed, completed, payment, follower_reward,
                          follower_action, gain, payments, incentive, total_follower_reward, events, length,
                          completions, final_observation.tuple());
  }
};

}  // namespace paymaster::bindings
