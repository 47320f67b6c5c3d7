// What this processor can do beyond what the build takes for granted.
#pragma once

namespace paymaster {

/// Whether it has AVX2 (and FMA, which comes with it) and the build has files for it; PAYMASTER_NO_AVX2 in the environment says no.
bool has_avx2();
/// The same of AVX-512, which then has AVX2, too; PAYMASTER_NO_AVX512 says no.
bool has_avx512();

}  // namespace paymaster
