// SPDX-License-Identifier: Apache-2.0
#include "core/segmenter/device_memory.h"

#include <dlfcn.h>

#include "core/engine/cuda/plugin.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

TEST(DeviceMemoryTest, IsThatOfTheLibraryOnceThisIsLoaded) {
  EXPECT_FALSE(DeviceMemoryNow().has_value());
  void* const handle = dlopen(kCudaPluginLibrary, RTLD_NOW);  // fake_cuda.cc
  ASSERT_NE(handle, nullptr) << dlerror();
  for (int i = 0; i < 3; ++i) {
    const std::optional<DeviceMemory> memory = DeviceMemoryNow();
    ASSERT_TRUE(memory.has_value());
    EXPECT_EQ(memory->used_bytes, 7);
    EXPECT_EQ(memory->free_bytes, 3);
  }
  dlclose(handle);
  EXPECT_FALSE(DeviceMemoryNow().has_value());
}

}  // namespace
}  // namespace candor
