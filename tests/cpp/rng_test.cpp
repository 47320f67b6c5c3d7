// Philox4x64-10 against the vectors that Random123 publishes (tests/kat_vectors) and against NumPy's generator.
#include "game/rng.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace paymaster {

TEST_CASE("philox4x64: Random123's known answers") {
  constexpr std::uint64_t ones = ~std::uint64_t{0};
  CHECK(philox4x64({0, 0, 0, 0}, {0, 0}) ==
        PhiloxBlock{0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b, 0x7e68b68aec7ba23b});
  CHECK(philox4x64({ones, ones, ones, ones}, {ones, ones}) ==
        PhiloxBlock{0x87b092c3013fe90b, 0x438c3c67be8d0224, 0x9cc7d7c69cd777b6, 0xa09caebf594f0ba0});
  // The digits of pi.
  CHECK(philox4x64({0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89},
                   {0x452821e638d01377, 0xbe5466cf34e90c6c}) ==
        PhiloxBlock{0xa528f45403e61d95, 0x38c72dbd566e9788, 0xa5a1610e72fd18b5, 0x57bd43b5e52b7fe6});
}

TEST_CASE("Draws: the sequence of NumPy's Philox") {
  // np.random.Philox(key=[7, 1], counter=[0, 0, 3, 5]).random_raw(9): more than two blocks of four.
  constexpr std::uint64_t expected[] = {0xc2ed23f19dc0bed6, 0x2fc091e212a57641, 0x4807f2535fc9cc1b,
                                        0x7d20d5044ac0d4a5, 0xa94b99d880d193ee, 0xca7a7ac387c83639,
                                        0x45613db093c96b8d, 0x6e30ae1e2fcbc459, 0xdc59daf1bf038bb4};
  Draws draws(7, Stream::reset, 0, 3, 5);
  for (const std::uint64_t value : expected) CHECK(draws.next() == value);

  // np.random.Philox(key=[7, 2], counter=[0, 4, 3, 5]).random_raw(2)
  Draws noise(7, Stream::noise, 4, 3, 5);
  CHECK(noise.next() == 0x2f454f37b77118af);
  CHECK(noise.next() == 0x562cfb046c3742c0);
}

TEST_CASE("Draws: every key changes the sequence") {
  const auto first = [](std::uint64_t seed, Stream stream, std::uint64_t step, std::uint64_t episode,
                        std::uint64_t environment) { return Draws(seed, stream, step, episode, environment).next(); };
  const std::uint64_t base = first(1, Stream::reset, 2, 3, 4);
  CHECK(first(1, Stream::reset, 2, 3, 4) == base);
  CHECK(first(2, Stream::reset, 2, 3, 4) != base);
  CHECK(first(1, Stream::noise, 2, 3, 4) != base);
  CHECK(first(1, Stream::reset, 3, 3, 4) != base);
  CHECK(first(1, Stream::reset, 2, 4, 4) != base);
  CHECK(first(1, Stream::reset, 2, 3, 5) != base);
}

TEST_CASE("below: the high word of the product") {
  constexpr std::uint64_t half = std::uint64_t{1} << 63, top = ~std::uint64_t{0};
  CHECK(below(0, 10) == 0);
  CHECK(below(half, 10) == 5);
  CHECK(below(half - 1, 10) == 4);
  CHECK(below(top, 10) == 9);
  CHECK(below(top, 1) == 0);
  CHECK(below(top, 0xffffffff) == 0xfffffffe);
  Draws draws(3, Stream::reset, 0, 0, 0);
  int count[5] = {};
  for (int i = 0; i < 50000; ++i) ++count[draws.below(5)];
  for (const int n : count) CHECK(std::abs(n - 10000) < 450);  // five standard deviations
}

TEST_CASE("unit: 53 bits in [0, 1)") {
  CHECK(unit(0) == 0.0);
  CHECK(unit((std::uint64_t{1} << 11) - 1) == 0.0);
  CHECK(unit(std::uint64_t{1} << 63) == 0.5);
  CHECK(unit(~std::uint64_t{0}) == 1.0 - std::ldexp(1.0, -53));
}

}  // namespace paymaster
