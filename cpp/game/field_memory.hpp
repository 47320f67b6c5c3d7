// Memory for fields of B games, for callers that have no arrays of their own: benchmarks and tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "game/fields.hpp"

namespace paymaster {

/// One array [B, ...] a field, zero at first.
class FieldMemory {
 public:
  FieldMemory(const std::vector<FieldInfo>& fields, int games) : fields_(fields) {
    for (const FieldInfo& field : fields_) {
      index_[field.name] = arrays_.size();
      arrays_.emplace_back(static_cast<std::size_t>(games * field.shape.count()) * field.item_size);
    }
  }

  const std::vector<FieldInfo>& fields() const { return fields_; }
  /// One for each field, as the calls of a Batch take them; valid as long as this object is not moved from.
  std::vector<void*> pointers() {
    std::vector<void*> all;
    for (auto& array : arrays_) all.push_back(array.data());
    return all;
  }

  /// The array of that name; empty where there is none of this name and type.
  template <class T>
  std::span<T> find(const std::string& name) {
    const auto at = index_.find(name);
    return at != index_.end() && fields_[at->second].dtype == dtype_name<T>() ? array<T>(at->second) : std::span<T>();
  }
  /// The same; throws std::out_of_range where there is none.
  template <class T>
  std::span<T> values(const std::string& name) {
    const std::span<T> found = find<T>(name);
    if (found.data() == nullptr) throw std::out_of_range("no field " + name + " of type " + dtype_name<T>());
    return found;
  }

  /// Game i's values of it.
  template <class T>
  T* row(const std::string& name, int game) {
    const std::span<T> all = values<T>(name);
    return all.data() + static_cast<std::size_t>(game * fields_[index_.at(name)].shape.count());
  }

  /// Every value, of any type, is between its field's bounds; NaN is not.
  bool in_bounds() {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const std::string& dtype = fields_[i].dtype;
      const bool holds = dtype == "bool"      ? in_bounds<bool>(i)
                         : dtype == "int16"   ? in_bounds<std::int16_t>(i)
                         : dtype == "int32"   ? in_bounds<std::int32_t>(i)
                         : dtype == "int64"   ? in_bounds<std::int64_t>(i)
                         : dtype == "float32" ? in_bounds<float>(i)
                                              : in_bounds<double>(i);
      if (!holds) return false;
    }
    return true;
  }

  /// The same bytes.
  bool operator==(const FieldMemory& other) const { return arrays_ == other.arrays_; }

 private:
  template <class T>
  std::span<T> array(std::size_t i) {
    return {reinterpret_cast<T*>(arrays_[i].data()), arrays_[i].size() / sizeof(T)};
  }
  template <class T>
  bool in_bounds(std::size_t i) {
    for (const T value : array<T>(i)) {
      const double number = static_cast<double>(value);
      if (!(number >= fields_[i].low && number <= fields_[i].high)) return false;
    }
    return true;
  }

  std::vector<FieldInfo> fields_;
  std::map<std::string, std::size_t> index_;
  std::vector<std::vector<std::byte>> arrays_;
};

}  // namespace paymaster
