// Named fields: how the core tells Python what its observation, its results and its state consist of.
//
// A world or the game layer lists its fields once, in a member function template that takes a visitor. One visitor
// collects names, shapes, bounds and meanings, another writes the observation, others read or set the state. So names
// and shapes cannot drift apart, and the hot path (ObservationWriter) is straight-line code.
//
// What a game shows is a call of (name, meaning, shape, Range<T>, get); a field of its state, which can be set too, is
// one of (name, meaning, shape, T{}, get, set). get(i, j) returns a value, i and j along the shape's axes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "game/check.hpp"

namespace paymaster {

/// Shape of a field within one game; 0 stands for "no such axis".
struct Shape {
  int rows = 0;
  int columns = 0;
  int outer() const { return rows == 0 ? 1 : rows; }
  int inner() const { return columns == 0 ? 1 : columns; }
  int count() const { return outer() * inner(); }
};

/// Values of type T that a field may hold, both ends included.
template <class T>
struct Range {
  double low, high;
  /// Anything; for a fraction still finite, as Gymnasium wants it for a Box: more than any game comes to.
  constexpr Range() : low(kLowest), high(kHighest) {}
  constexpr Range(double lowest, double highest) : low(lowest), high(highest) {}
  /// Not less than `lowest`.
  static constexpr Range from(double lowest) { return {lowest, kHighest}; }

 private:
  static constexpr bool kWhole = std::numeric_limits<T>::is_integer;
  static constexpr double kHighest = kWhole ? static_cast<double>(std::numeric_limits<T>::max()) : 1e6;
  static constexpr double kLowest = kWhole ? static_cast<double>(std::numeric_limits<T>::lowest()) : -1e6;
};
using Whole = Range<std::int16_t>;  // what an observation consists of
using Real = Range<float>;

struct FieldInfo {
  std::string name;
  std::string dtype;  // NumPy's name
  std::size_t item_size;
  Shape shape;
  std::string meaning;
  double low, high;

  bool real() const { return dtype == "float32"; }
  /// Of an observation's field: places that one game's values take up in its block, of 16 bits or float32.
  int places() const { return real() ? shape.count() : shape.count() * static_cast<int>(item_size / 2); }
};

template <class T>
const char* dtype_name() {
  if constexpr (std::is_same_v<T, bool>) return "bool";
  if constexpr (std::is_same_v<T, std::int16_t>) return "int16";
  if constexpr (std::is_same_v<T, std::int32_t>) return "int32";
  if constexpr (std::is_same_v<T, std::int64_t>) return "int64";
  if constexpr (std::is_same_v<T, float>) return "float32";
  if constexpr (std::is_same_v<T, double>) return "float64";
}

/// Collects what there is.
struct Describe {
  std::vector<FieldInfo> fields;
  template <class T, class Get>
  void operator()(const char* name, const char* meaning, Shape shape, Range<T> range, Get&&) {
    fields.push_back({name, dtype_name<T>(), sizeof(T), shape, meaning, range.low, range.high});
  }
  template <class T, class Get, class Set>
  void operator()(const char* name, const char* meaning, Shape shape, T, Get&& get, Set&&) {
    (*this)(name, meaning, shape, Range<T>(), get);
  }
};

/// Gets a field's values where they lie, one game's one behind the other.
template <class T>
struct InOrder {
  const T* row;
  int inner;  // of the field's shape
  T operator()(int i, int j) const { return row[i * inner + j]; }
};

/// Writes one game's observation into the fields' blocks: whole numbers and float32 values, the block [games, ...] of one
/// field behind that of the other, so that every field of a batch is an array without gaps. Whole numbers are int16;
/// int32 fields, which take two places, come before all of them.
struct ObservationWriter {
  std::int16_t* whole;  // the next field's block
  float* real;
  std::size_t games, game;
  template <class Get>
  void operator()(const char*, const char*, Shape shape, Whole, Get&& get) {
    write(whole, shape, get);
  }
  template <class Get>
  void operator()(const char*, const char*, Shape shape, Range<std::int32_t>, Get&& get) {
    auto* block = reinterpret_cast<std::int32_t*>(whole);
    write(block, shape, get);
    whole = reinterpret_cast<std::int16_t*>(block);
  }
  template <class Get>
  void operator()(const char*, const char*, Shape shape, Real, Get&& get) {
    write(real, shape, get);
  }

 private:
  template <class T, class Get>
  void write(T*& block, Shape shape, Get& get) const {
    if constexpr (std::is_same_v<std::remove_cvref_t<Get>, InOrder<T>>) {
      const auto count = static_cast<std::size_t>(shape.count());
      std::copy_n(get.row, count, block + game * count);
      block += games * count;
      return;
    }
    // Four followers and four goal types are what most games have: loops of known length are straight-line code.
    const int outer = shape.outer(), inner = shape.inner();
    // (Fractions are coordinates, in pairs.)
    if constexpr (std::is_integral_v<T>) {
      if (outer == 4 && inner == 4) return write(block, Known<4>{}, Known<4>{}, get);
    }
    if (outer == 4) write(block, Known<4>{}, inner, get);
    else write(block, outer, inner, get);
  }
  template <int N>
  using Known = std::integral_constant<int, N>;
  template <class T, class Outer, class Inner, class Get>
  void write(T*& block, Outer outer, Inner inner, Get& get) const {
    const auto count = static_cast<std::size_t>(outer * inner);
    T* to = block + game * count;
    block += games * count;
    for (int i = 0; i < outer; ++i) {
      for (int j = 0; j < inner; ++j) *to++ = static_cast<T>(get(i, j));
    }
  }
};

/// Copies one game's fields into row `game` of the caller's arrays, one a field. For fields of the state a null pointer
/// says: not asked for.
struct ReadFields {
  void* const* arrays;
  std::size_t game;
  int index = 0;
  template <class T, class Get>
  void operator()(const char*, const char*, Shape shape, Range<T>, Get&& get) {
    T* const array = static_cast<T*>(arrays[index++]);
    if (shape.outer() == 4) write(array, std::integral_constant<int, 4>{}, shape.inner(), get);
    else write(array, shape.outer(), shape.inner(), get);
  }
  template <class T, class Get, class Set>
  void operator()(const char* name, const char* meaning, Shape shape, T, Get&& get, Set&&) {
    if (arrays[index] == nullptr) ++index;
    else (*this)(name, meaning, shape, Range<T>(), get);
  }

 private:
  template <class T, class Outer, class Get>
  void write(T* array, Outer outer, int inner, Get& get) const {
    T* to = array + game * static_cast<std::size_t>(outer * inner);
    for (int i = 0; i < outer; ++i) {
      for (int j = 0; j < inner; ++j) *to++ = static_cast<T>(get(i, j));
    }
  }
};

/// Reads a bool from memory that may hold anything.
inline bool as_bool(const void* byte) { return *static_cast<const unsigned char*>(byte) != 0; }

/// Sets one game's state fields from row `game` of the caller's arrays (a null pointer: left as it is).
/// The fields' setters throw std::invalid_argument on a value out of range.
struct WriteState {
  const void* const* arrays;
  std::size_t game;
  int index = 0;
  template <class T, class Get, class Set>
  void operator()(const char*, const char*, Shape shape, T, Get&&, Set&& set) {
    const T* in = static_cast<const T*>(arrays[index++]);
    if (in == nullptr) return;
    in += game * static_cast<std::size_t>(shape.count());
    for (int i = 0; i < shape.outer(); ++i) {
      for (int j = 0; j < shape.inner(); ++j, ++in) {
        if constexpr (std::is_same_v<T, bool>) set(i, j, as_bool(in));
        else set(i, j, *in);
      }
    }
  }
};

/// The bytes that one game's state fields take.
struct CountBytes {
  std::size_t bytes = 0;
  template <class T, class Get, class Set>
  void operator()(const char*, const char*, Shape shape, T, Get&&, Set&&) {
    bytes += sizeof(T) * static_cast<std::size_t>(shape.count());
  }
};

/// Writes one game's state fields one behind the other.
struct PackState {
  char* to;
  template <class T>
  void put(T value) {
    std::memcpy(to, &value, sizeof value);
    to += sizeof value;
  }
  template <class T, class Get, class Set>
  void operator()(const char*, const char*, Shape shape, T, Get&& get, Set&&) {
    for (int i = 0; i < shape.outer(); ++i) {
      for (int j = 0; j < shape.inner(); ++j) put(static_cast<T>(get(i, j)));
    }
  }
};

/// Sets them from there, whatever there is: throws std::invalid_argument on what is no value of the field.
struct UnpackState {
  /// What play has led to is given back: a field whose range for set_state leaves room for play has all of it here.
  static constexpr bool kPlayed = true;
  const char* from;
  template <class T>
  T take(const char* name) {
    if constexpr (std::is_same_v<T, bool>) {
      const int byte = static_cast<unsigned char>(*from++);
      expect_range(byte, 0, 1, name);
      return byte == 1;
    } else {
      T value;
      std::memcpy(&value, from, sizeof value);
      from += sizeof value;
      return value;
    }
  }
  template <class T, class Get, class Set>
  void operator()(const char* name, const char*, Shape shape, T, Get&&, Set&& set) {
    for (int i = 0; i < shape.outer(); ++i) {
      for (int j = 0; j < shape.inner(); ++j) set(i, j, take<T>(name));
    }
  }
};

template <class Visitor>
constexpr bool gives_back_play() {
  return requires { std::remove_cvref_t<Visitor>::kPlayed; };
}

}  // namespace paymaster
