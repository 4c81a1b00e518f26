// SPDX-License-Identifier: Apache-2.0
#include "core/nn/pooled_allocator.h"

#include <torch/torch.h>

#include "gtest/gtest.h"

namespace candor {
namespace {

TEST(PooledAllocatorTest, ALargeTensorsMemoryServesTheNext) {
  const torch::Tensor before = torch::ones({1 << 20});
  InstallPooledAllocator();
  InstallPooledAllocator();
  const void* address = torch::ones({1 << 20}).data_ptr();
  const torch::Tensor again = torch::full({1 << 20}, 2.0f);
  EXPECT_EQ(again.data_ptr(), address);
  EXPECT_EQ(again.sum().item<float>(), 2.0f * (1 << 20));
  EXPECT_EQ(before.sum().item<float>(), 1.0f * (1 << 20));
}

TEST(PooledAllocatorTest, SmallAndEmptyTensorsWorkToo) {
  InstallPooledAllocator();
  EXPECT_EQ(torch::ones({3}).sum().item<float>(), 3.0f);
  EXPECT_EQ(torch::empty({0}).numel(), 0);
}

}  // namespace
}  // namespace candor
