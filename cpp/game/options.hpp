// Options: what a keyword argument, its range, its meaning and its error message come of.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace paymaster {

struct GameConfig;

/// Takes options one by one: (name, member, meaning, low, high), and (name, member, meaning) for text.
class OptionVisitor {
 public:
  virtual ~OptionVisitor() = default;
  virtual void operator()(const char* name, bool& member, const char* meaning, int low, int high) = 0;
  virtual void operator()(const char* name, int& member, const char* meaning, int low, int high) = 0;
  virtual void operator()(const char* name, std::int64_t& member, const char* meaning, std::int64_t low,
                          std::int64_t high) = 0;
  virtual void operator()(const char* name, double& member, const char* meaning, double low, double high) = 0;
  virtual void operator()(const char* name, std::string& member, const char* meaning) = 0;
};

/// The options that a world has beside those of every game, with their defaults.
class WorldOptions {
 public:
  virtual ~WorldOptions() = default;
  virtual std::unique_ptr<WorldOptions> clone() const = 0;
  virtual void visit(OptionVisitor& visitor) = 0;
  /// Throws std::invalid_argument where they do not fit the game's or each other. Their ranges have been checked.
  virtual void validate(const GameConfig& game) const = 0;

 protected:
  WorldOptions() = default;
  WorldOptions(const WorldOptions&) = default;
  WorldOptions& operator=(const WorldOptions&) = default;
};

/// Throws std::invalid_argument on the first option out of its range.
void check_ranges(const WorldOptions& options);

/// A world's options, or none; a copy has its own.
class OwnOptions {
 public:
  OwnOptions() = default;
  OwnOptions(std::unique_ptr<WorldOptions> options) : options_(std::move(options)) {}
  OwnOptions(const OwnOptions& other) : options_(other.options_ ? other.options_->clone() : nullptr) {}
  OwnOptions(OwnOptions&&) = default;
  OwnOptions& operator=(OwnOptions other) {
    options_ = std::move(other.options_);
    return *this;
  }

  WorldOptions* get() { return options_.get(); }
  const WorldOptions* get() const { return options_.get(); }

 private:
  std::unique_ptr<WorldOptions> options_;
};

/// Passes a world's options on to a visitor of any type, as constants where Self is const.
template <class Self, class Visitor>
class PassOptions final : public OptionVisitor {
 public:
  explicit PassOptions(Visitor& visitor) : visitor_(visitor) {}
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
