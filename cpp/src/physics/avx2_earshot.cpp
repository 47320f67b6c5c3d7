// Compiled for AVX2 (see CMakeLists.txt) and entered only where has_avx2() says so.
#include "avx2_earshot.hpp"

#include "../planners/lanes.hpp"

namespace paymaster {

int avx2_earshot(int count, const double* x, const double* y, const double* size, const double* range,
                 ColliderPair* pairs) {
  ColliderPair* out = pairs;
  for (int i = 0; i + 1 < count; ++i) {
    const Lanes at_x = all(x[i]), at_y = all(y[i]), own_size = all(size[i]), own_range = all(range[i]);
    const int first = (i + 1) / kLanes * kLanes;
    unsigned wanted = ~0u << (i + 1 - first);  // bit b: j + b > i
    for (int j = first; j < count; j += kLanes, wanted = ~0u) {
      const Lanes away_x = at_x - load(x + j), away_y = at_y - load(y + j);
      const Lanes far = own_size + load(size + j) + most_of(own_range, load(range + j));
      unsigned heard = bits(away_x * away_x + away_y * away_y <= far * far) & wanted;
      for (; heard != 0; heard &= heard - 1)
        *out++ = {static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(j + first_bit(heard))};
    }
  }
  return static_cast<int>(out - pairs);
}

}  // namespace paymaster
