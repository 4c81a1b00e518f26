// SPDX-License-Identifier: Apache-2.0
//
// Asks our CUDA library, if it is loaded: this file needs no Torch and loads nothing itself.
#include "core/segmenter/device_memory.h"

#include <dlfcn.h>

#include "core/engine/cuda/plugin.h"

namespace candor {

std::optional<DeviceMemory> DeviceMemoryNow() {
  void* const handle = dlopen(kCudaPluginLibrary, RTLD_NOW | RTLD_NOLOAD);
  if (handle == nullptr) return std::nullopt;
  const auto factory = reinterpret_cast<CudaPluginFactory>(dlsym(handle, kCudaPluginFactoryName));
  CudaPlugin* const plugin = factory == nullptr ? nullptr : factory(kCudaPluginVersion);
  CudaMemory memory;
  const bool is_known = plugin != nullptr && plugin->Memory(&memory) == nullptr;
  dlclose(handle);  // stays loaded by the one that loaded it
  if (!is_known) return std::nullopt;
  return DeviceMemory{static_cast<int64_t>(memory.total_bytes - memory.free_bytes),
                      static_cast<int64_t>(memory.free_bytes)};
}

}  // namespace candor
