#include "worlds/particles/particles.hpp"

#include <cmath>
#include <type_traits>

#include "game/check.hpp"

namespace paymaster {
namespace {

struct RangeCheck {
  template <class T>
  void operator()(const char* name, T value, const char*, T low, T high) const {
    expect_range(value, low, high, name);
  }
  void operator()(const char*, const std::string&, const char*) const {}
};

}  // namespace

double ParticleConfig::half_width(int num_followers) const {
  if (arena_half_width > 0) return arena_half_width;
  return num_followers <= 4 ? 1.0 : std::sqrt(num_followers / 4.0);  // so that density stays
}

void ParticleConfig::validate() const {
  visit(*this, RangeCheck{});
  expect(reach_by == "any" || reach_by == "chosen", "reach_by", "'any' or 'chosen'", quoted(reach_by));
}

}  // namespace paymaster
