// The one precondition check: an error says which argument, what was expected and what came.
#pragma once

#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace paymaster {

/// A number in as few digits as tell it from its neighbours: the ranges shown are those accepted.
template <class T>
std::string number_text(T value) {
  std::ostringstream text;
  if constexpr (std::is_floating_point_v<T>) {
    for (const int digits : {6, 9, 15, 17}) {
      text.str("");
      text.precision(digits);
      text << value;
      if (static_cast<T>(std::strtod(text.str().c_str(), nullptr)) == value) break;
    }
  } else {
    text << +value;
  }
  return text.str();
}

/// Text that came from outside, for a message: in quotes, on one line, and not all of a long one.
inline std::string quoted(const std::string& text) {
  constexpr std::size_t kLongest = 80;
  const char* digits = "0123456789abcdef";
  std::string out = "'";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (out.size() > kLongest && (byte & 0xc0) != 0x80) return out + "...'";  // between two characters
    if (byte >= 0x20 && byte != 0x7f) out += c;
    else out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
  }
  return out + "'";
}

/// For a message.
inline std::string place_of(std::size_t game, std::size_t follower) {
  return " (game " + std::to_string(game) + ", follower " + std::to_string(follower) + ")";
}

/// Throws std::invalid_argument ("<argument>: expected <expected>, got <came>"); Python sees a ValueError.
template <class Came>
[[noreturn]] void reject(const std::string& argument, const std::string& expected, const Came& came) {
  std::ostringstream text;
  text << argument << ": expected " << expected << ", got " << came;
  throw std::invalid_argument(text.str());
}

template <class Came>
void expect(bool holds, const std::string& argument, const std::string& expected, const Came& came) {
  if (!holds) reject(argument, expected, came);
}

/// low <= value <= high, both ends included; a NaN is never in range.
template <class T>
void expect_range(T value, T low, T high, const std::string& argument) {
  if (value >= low && value <= high) return;
  reject(argument, "a value in [" + number_text(low) + ", " + number_text(high) + "]", number_text(value));
}

}  // namespace paymaster
