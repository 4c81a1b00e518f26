// SPDX-License-Identifier: Apache-2.0
#include "core/nn/pooled_allocator.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>

#include <cstring>

#include "core/base/block_pool.h"

namespace candor {
namespace {

constexpr size_t kLeastPooled = 256 << 10;
constexpr size_t kMaxIdle = size_t{1} << 30;

// Never destroyed: tensors may outlive every other object of the process.
BlockPool& Pool() {
  static auto* pool = new BlockPool(kMaxIdle);
  return *pool;
}

void Delete(void* data) {
  if (!Pool().Release(data)) c10::free_cpu(data);
}

class PooledAllocator : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* data = bytes < kLeastPooled ? c10::alloc_cpu(bytes) : Pool().Acquire(bytes);
    return {data, data, &Delete, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &Delete; }
  void copy_data(void* destination, const void* source, size_t bytes) const override {
    std::memcpy(destination, source, bytes);
  }
};

}  // namespace

void InstallPooledAllocator() {
  static PooledAllocator* const installed = [] {
    auto* allocator = new PooledAllocator;  // never destroyed, like the pool
    c10::SetCPUAllocator(allocator, /*priority=*/1);
    return allocator;
  }();
  (void)installed;
}

void GiveBackIdleMemory() { Pool().DropIdle(); }

}  // namespace candor
