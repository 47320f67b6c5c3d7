// The NumPy arrays that a batch writes its observations and results to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "batch/batch.hpp"
#include "bindings.hpp"

namespace paymaster::bindings {

template <class T>
using Array = py::array_t<T, py::array::c_style>;

/// A fresh array that begins on a multiple of 64 bytes: JAX takes no other without a copy.
template <class T>
Array<T> aligned_array(py::ssize_t size) {
  constexpr std::size_t kBytes = 64;
  const Array<T> owner(size + static_cast<py::ssize_t>(kBytes / sizeof(T)));
  const auto* begin = owner.data();
  const std::size_t beyond = reinterpret_cast<std::uintptr_t>(begin) % kBytes;
  return Array<T>(size, begin + (kBytes - beyond) % kBytes / sizeof(T), owner);
}

/// Observations of B games (or of none): int16 fields and float32 fields.
class ObservationArrays {
 public:
  ObservationArrays(py::ssize_t games, RowLength length) : games_(games), length_(length) {}

  /// Takes fresh arrays, or (fresh = false) the same ones again.
  void prepare(bool fresh) {
    if (!fresh && whole_.size() > 0) return;
    if (games_ > 0 && games_ % kAlignedGames == 0) {
      whole_ = aligned_array<std::int16_t>(games_ * length_.whole);
      real_ = aligned_array<float>(games_ * length_.real);
    } else {
      whole_ = Array<std::int16_t>(games_ * length_.whole);
      real_ = Array<float>(games_ * length_.real);
    }
  }
  ObservationRows pointers() {
    return whole_.size() > 0 ? ObservationRows{whole_.mutable_data(), real_.mutable_data()} : ObservationRows{};
  }
  py::tuple tuple() const { return py::make_tuple(whole_, real_); }

 private:
  static constexpr py::ssize_t kAlignedGames = 32;  // of so many a field's int16 fill whole multiples of 64 bytes

  py::ssize_t games_;
  RowLength length_;
  Array<std::int16_t> whole_;
  Array<float> real_;
};

/// Shape of a field's array: [B, ...].
inline std::vector<py::ssize_t> array_shape(const FieldInfo& field, py::ssize_t games) {
  std::vector<py::ssize_t> shape{games};
  if (field.shape.rows > 0) shape.push_back(field.shape.rows);
  if (field.shape.columns > 0) shape.push_back(field.shape.columns);
  return shape;
}

/// Arrays [B, ...] of fields. What does not change from one call to the next is looked up once.
class FieldArrays {
 public:
  FieldArrays(const std::vector<FieldInfo>& fields, py::ssize_t games) {
    for (const FieldInfo& field : fields)
      kinds_.push_back({py::str(field.name), py::dtype(field.dtype), array_shape(field, games)});
    arrays_.resize(kinds_.size());
    pointers_.resize(kinds_.size());
  }

  /// Takes fresh arrays, or (fresh = false) the same ones again.
  void prepare(bool fresh) {
    if (!fresh && pointers_.front() != nullptr) return;
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      arrays_[i] = py::array(kinds_[i].dtype, kinds_[i].shape);
      pointers_[i] = arrays_[i].mutable_data();
    }
  }
  void* const* pointers() const { return pointers_.data(); }
  /// Field name -> array.
  py::dict dict() const {
    py::dict all;
    for (std::size_t i = 0; i < kinds_.size(); ++i) all[kinds_[i].name] = arrays_[i];
    return all;
  }

 private:
  struct Kind {
    py::str name;
    py::dtype dtype;
    std::vector<py::ssize_t> shape;
  };
  std::vector<Kind> kinds_;
  std::vector<py::array> arrays_;
  std::vector<void*> pointers_;
};

/// One step's results.
class Results {
 public:
  explicit Results(const Batch& batch)
      : observation(batch.batch_config().num_envs, batch.row_length()),
        final_observation_(batch.batch_config().autoreset == Autoreset::same_step ? batch.batch_config().num_envs : 0,
                           batch.row_length()),
        results_(batch.result_fields(), batch.batch_config().num_envs),
        totals_(batch.total_fields(), batch.batch_config().num_envs) {}

  void prepare(bool fresh) {
    observation.prepare(fresh);
    final_observation_.prepare(fresh);
    results_.prepare(fresh);
    totals_.prepare(fresh);
  }
  BatchResult pointers() {
    return {.observation = observation.pointers(),
            .final_observation = final_observation_.pointers(),
            .results = results_.pointers(),
            .totals = totals_.pointers()};
  }
  py::tuple tuple() const {
    return py::make_tuple(observation.tuple(), results_.dict(), totals_.dict(), final_observation_.tuple());
  }

  ObservationArrays observation;

 private:
  ObservationArrays final_observation_;  // games that have not ended have nothing in it
  FieldArrays results_, totals_;
};

}  // namespace paymaster::bindings
