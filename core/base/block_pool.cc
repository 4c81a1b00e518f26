// SPDX-License-Identifier: Apache-2.0
#include "core/base/block_pool.h"

#include <algorithm>
#include <new>
#include <utility>

namespace candor {
namespace {

constexpr size_t kGranule = 64 << 10;

}  // namespace

void* BlockPool::Acquire(size_t bytes) {
  const size_t size = (bytes + kGranule - 1) / kGranule * kGranule;
  absl::MutexLock lock(&mutex_);
  PageBuffer buffer;
  const auto fit = idle_.lower_bound(size);
  if (fit != idle_.end() && fit->first <= size + size / 4) {
    buffer = std::move(fit->second.buffer);
    idle_bytes_ -= fit->first;
    idle_.erase(fit);
  } else {
    buffer = NewPages(size);
  }
  void* block = buffer.as<void>();
  in_use_.emplace(block, std::move(buffer));
  return block;
}

PageBuffer BlockPool::NewPages(size_t size) {
  try {
    return PageBuffer(size);
  } catch (const std::bad_alloc&) {
    if (idle_.empty()) throw;
  }
  GiveBackIdle();
  return PageBuffer(size);
}

bool BlockPool::Release(void* block) {
  absl::MutexLock lock(&mutex_);
  const auto found = in_use_.find(block);
  if (found == in_use_.end()) return false;
  const size_t size = found->second.bytes();
  idle_.emplace(size, IdleBlock{std::move(found->second), ++releases_});
  idle_bytes_ += size;
  in_use_.erase(found);
  while (idle_bytes_ > max_idle_bytes_) DropOldest();
  return true;
}

void BlockPool::DropOldest() {
  const auto oldest = std::min_element(idle_.begin(), idle_.end(),
                                       [](const auto& a, const auto& b) { return a.second.since < b.second.since; });
  idle_bytes_ -= oldest->first;
  idle_.erase(oldest);
}

void BlockPool::DropIdle() {
  absl::MutexLock lock(&mutex_);
  GiveBackIdle();
}

void BlockPool::GiveBackIdle() {
  idle_.clear();
  idle_bytes_ = 0;
}

size_t BlockPool::idle_bytes() const {
  absl::MutexLock lock(&mutex_);
  return idle_bytes_;
}

}  // namespace candor
