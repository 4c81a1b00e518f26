// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace candor {

// Of the whole GPU, whichever process uses it.
struct DeviceMemory {
  int64_t used_bytes = 0;
  int64_t free_bytes = 0;
};

// Unset unless PrepareDevice has chosen CUDA, and once the GPU has failed. Takes microseconds. Thread-safe.
std::optional<DeviceMemory> DeviceMemoryNow();

}  // namespace candor
