// Compiled for AVX2 (see CMakeLists.txt) and entered only where has_avx2() says so.
#include "avx2_earshot.hpp"

#include "listening.hpp"

namespace paymaster {

void avx2_listen(Colliders<double>& colliders) { listen(colliders); }

unsigned avx2_uncertain(const Colliders<double>& colliders, int first) { return uncertain(colliders, first); }

int avx2_earshot(const Colliders<double>& c, ColliderPair* pairs) {
  ColliderPair* out = pairs;
  const int count = c.count;
  for (int i = 0; i + 1 < count; ++i) {
    const Lanes at_x = all(c.x[i]), at_y = all(c.y[i]), own_size = all(c.size[i]), own_range = all(c.range[i]);
    // Most hear nobody, so a row is looked through at once; 64 columns of it at a time.
    for (int begin = (i + 1) / kLanes * kLanes; begin < count;) {
      const int end = count < begin + 64 ? count : begin + 64;
      std::uint64_t heard = 0;
      for (int j = begin; j < end; j += kLanes) {
        const Lanes away_x = at_x - load(c.x + j), away_y = at_y - load(c.y + j);
        const Lanes far = own_size + load(c.size + j) + most_of(own_range, load(c.range + j));
        heard |= std::uint64_t{bits(away_x * away_x + away_y * away_y <= far * far)} << (j - begin);
      }
      if (begin <= i) heard &= ~std::uint64_t{0} << (i + 1 - begin);
      for (; heard != 0; heard &= heard - 1)
        *out++ = {static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(begin + first_bit(heard))};
      begin = end;
    }
  }
  return static_cast<int>(out - pairs);
}

}  // namespace paymaster
