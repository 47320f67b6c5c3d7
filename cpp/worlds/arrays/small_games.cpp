// Small games of worlds over arrays, compiled apart from the larger ones: for speed, where those are compiled for size.
#include "worlds/arrays/array_batch.hpp"

namespace paymaster {

template class ArrayBatch<ArrayWorld<8, 8>>;

}  // namespace paymaster
