// SPDX-License-Identifier: Apache-2.0
#include "core/engine/cpu_features.h"

#include <ATen/cpu/Utils.h>

namespace candor {

bool HasNativeBf16() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

// Where there is one, the kernel has to be asked for it.
bool HasMatrixUnit() {
  static const bool has_unit = at::cpu::init_amx();
  return has_unit;
}

bool HasNativeInt8() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512vnni") != 0;
#else
  return false;
#endif
}

}  // namespace candor
