// Parameters that come of bytes, near the ends of their ranges and anywhere: refused, or a game that can be played.
#include <fuzzer/FuzzedDataProvider.h>

#include <limits>
#include <stdexcept>
#include <type_traits>

#include "play.hpp"

namespace {

using namespace paymaster;

struct Change {
  FuzzedDataProvider& bytes;

  template <class T, class Low, class High>
  void operator()(const char*, T& member, const char*, Low low_end, High high_end) {
    if (bytes.ConsumeProbability<float>() < 0.6f) return;
    const auto low = static_cast<T>(low_end), high = static_cast<T>(high_end);
    switch (bytes.ConsumeIntegralInRange(0, 3)) {
      case 0: member = low; break;
      case 1: member = high; break;
      case 2: member = within(low, high); break;
      default: member = anything<T>();
    }
  }
  void operator()(const char* name, std::string& member, const char* meaning, const Choices&) {
    (*this)(name, member, meaning);
  }
  void operator()(const char* name, std::vector<double>& member, const char* meaning, double low, double high) {
    if (bytes.ConsumeProbability<float>() < 0.6f) return;
    member.resize(bytes.ConsumeIntegralInRange<std::size_t>(0, 66));
    for (double& value : member) (*this)(name, value, meaning, low, high);
  }
  void operator()(const char*, std::string& member, const char*) {
    static const char* const kWords[] = {"",
                                         "completion",
                                         "advance",
                                         "advance_once",
                                         "rule",
                                         "meta",
                                         "primitive",
                                         "any",
                                         "chosen",
                                         "###\n#.#\n###",
                                         "#####\n#...#\n#...#\n#####\n"};
    if (bytes.ConsumeProbability<float>() < 0.6f) return;
    if (bytes.ConsumeBool()) member = kWords[bytes.ConsumeIntegralInRange<std::size_t>(0, std::size(kWords) - 1)];
    else member = bytes.ConsumeRandomLengthString(40);
  }

 private:
  template <class T>
  T within(T low, T high) {
    if constexpr (std::is_same_v<T, bool>) return bytes.ConsumeBool();
    else if constexpr (std::is_floating_point_v<T>) return bytes.ConsumeFloatingPointInRange<T>(low, high);
    else return bytes.ConsumeIntegralInRange<T>(low, high);
  }
  template <class T>
  T anything() {
    if constexpr (std::is_same_v<T, bool>) {
      return bytes.ConsumeBool();
    } else if constexpr (std::is_floating_point_v<T>) {
      static const T kOdd[] = {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity(),
                               -std::numeric_limits<T>::infinity(), std::numeric_limits<T>::denorm_min(), T(-0.0)};
      return bytes.ConsumeBool() ? kOdd[bytes.ConsumeIntegralInRange(0, 4)] : bytes.ConsumeFloatingPoint<T>();
    } else {
      return bytes.ConsumeIntegral<T>();
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider bytes(data, size);
  const auto task = bytes.ConsumeIntegralInRange<std::size_t>(0, tasks().size() - 1);
  GameConfig config = tasks()[task].preset;
  GameConfig::visit(config, Change{bytes});
  const int games = bytes.ConsumeIntegralInRange(1, 3);
  try {
    config.validate();
    // Legal all the same, but a table of gigabytes is not what is looked for.
    if (std::int64_t{config.population_size} * config.num_goals * config.horizon > 2'000'000) return 0;
    fuzz::Play play(config, games);
    play.reset();
    for (int t = 0; t < 4; ++t) play.step(bytes.ConsumeIntegral<std::uint32_t>());
    play.core().restore(play.core().snapshot());
  } catch (const std::invalid_argument&) {
  }
  return 0;
}
