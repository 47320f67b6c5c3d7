// Parameters: what a keyword argument, its range, its meaning and its error message come of.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace paymaster {

struct GameConfig;

/// The words that a text parameter may be.
struct Choices {
  static constexpr std::size_t kMost = 8;
  const char* words[kMost] = {};  // those that are left are null

  bool hold(const std::string& text) const {
    return std::any_of(std::begin(words), std::end(words),
                       [&](const char* word) { return word != nullptr && text == word; });
  }
  /// "'a', 'b' or 'c'".
  std::string text() const {
    std::string all;
    for (std::size_t i = 0; i < kMost && words[i] != nullptr; ++i) {
      const bool last = i + 1 == kMost || words[i + 1] == nullptr;
      all += (i == 0 ? "'" : last ? " or '" : ", '") + std::string(words[i]) + "'";
    }
    return all;
  }
};

/// Takes parameters one by one: (name, member, meaning, low, high); (name, member, meaning, choices) for a word, and
/// (name, member, meaning) for any text. A list's range is that of its numbers.
class ParameterVisitor {
 public:
  virtual ~ParameterVisitor() = default;
  virtual void operator()(const char* name, bool& member, const char* meaning, int low, int high) = 0;
  virtual void operator()(const char* name, int& member, const char* meaning, int low, int high) = 0;
  virtual void operator()(const char* name, std::int64_t& member, const char* meaning, std::int64_t low,
                          std::int64_t high) = 0;
  virtual void operator()(const char* name, double& member, const char* meaning, double low, double high) = 0;
  virtual void operator()(const char* name, std::string& member, const char* meaning, const Choices& choices) = 0;
  virtual void operator()(const char* name, std::vector<double>& member, const char* meaning, double low,
                          double high) = 0;
  virtual void operator()(const char* name, std::string& member, const char* meaning) = 0;
};

/// The parameters that a world has beside those of every game, with their defaults.
class WorldParameters {
 public:
  virtual ~WorldParameters() = default;
  virtual std::unique_ptr<WorldParameters> clone() const = 0;
  virtual void visit(ParameterVisitor& visitor) = 0;
  /// Throws std::invalid_argument where they do not fit the game's or each other. Their ranges have been checked.
  virtual void validate(const GameConfig& game) const = 0;

 protected:
  WorldParameters() = default;
  WorldParameters(const WorldParameters&) = default;
  WorldParameters& operator=(const WorldParameters&) = default;
};

/// Throws std::invalid_argument on the first parameter out of its range.
void check_ranges(const WorldParameters& parameters);

/// A world's parameters, or none; a copy has its own.
class OwnParameters {
 public:
  OwnParameters() = default;
  OwnParameters(std::unique_ptr<WorldParameters> parameters) : parameters_(std::move(parameters)) {}
  OwnParameters(const OwnParameters& other) : parameters_(other.parameters_ ? other.parameters_->clone() : nullptr) {}
  OwnParameters(OwnParameters&&) = default;
  OwnParameters& operator=(OwnParameters other) {
    parameters_ = std::move(other.parameters_);
    return *this;
  }

  WorldParameters* get() { return parameters_.get(); }
  const WorldParameters* get() const { return parameters_.get(); }

 private:
  std::unique_ptr<WorldParameters> parameters_;
};

/// Passes a world's parameters on to a visitor of any type, as constants where Self is const.
template <class Self, class Visitor>
class PassParameters final : public ParameterVisitor {
 public:
  explicit PassParameters(Visitor& visitor) : visitor_(visitor) {}
  void operator()(const char* name, bool& member, const char* meaning, int low, int high) override {
    visitor_(name, as<bool>(member), meaning, low, high);
  }
  void operator()(const char* name, int& member, const char* meaning, int low, int high) override {
    visitor_(name, as<int>(member), meaning, low, high);
  }
  void operator()(const char* name, std::int64_t& member, const char* meaning, std::int64_t low,
                  std::int64_t high) override {
    visitor_(name, as<std::int64_t>(member), meaning, low, high);
  }
  void operator()(const char* name, double& member, const char* meaning, double low, double high) override {
    visitor_(name, as<double>(member), meaning, low, high);
  }
  void operator()(const char* name, std::string& member, const char* meaning, const Choices& choices) override {
    visitor_(name, as<std::string>(member), meaning, choices);
  }
  void operator()(const char* name, std::vector<double>& member, const char* meaning, double low,
                  double high) override {
    visitor_(name, as<std::vector<double>>(member), meaning, low, high);
  }
  void operator()(const char* name, std::string& member, const char* meaning) override {
    visitor_(name, as<std::string>(member), meaning);
  }

 private:
  template <class T>
  static auto& as(T& member) {
    if constexpr (std::is_const_v<Self>) return std::as_const(member);
    else return member;
  }
  Visitor& visitor_;
};

}  // namespace paymaster
