// SPDX-License-Identifier: Apache-2.0
//
// Large blocks of memory, kept for the next user instead of given back.
//
// An inference takes and drops the same large blocks every time. The system's fresh pages are dear (faulting them in
// takes 40 % of an inference at 1024x2048 on a virtual machine), and a heap that keeps them fragments, so that its peak
// grows with the number of passes. Here each block has pages of its own and serves only requests of nearly its size:
// the second pass finds exactly what the first one left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "core/base/page_buffer.h"

namespace candor {

// Thread-safe.
class BlockPool {
 public:
  // At most `max_idle_bytes` are kept for later; beyond that the blocks idle for longest are given back.
  explicit BlockPool(size_t max_idle_bytes) : max_idle_bytes_(max_idle_bytes) {}

  // A block of at least `bytes` (and at most a quarter more), aligned to a page, with any contents. bytes > 0. Throws
  // std::bad_alloc, once the idle blocks have been given back and that was not enough.
  void* Acquire(size_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);

  // Takes a block back. False, and nothing done, for a pointer that Acquire has not given.
  bool Release(void* block) ABSL_LOCKS_EXCLUDED(mutex_);

  // Gives all idle blocks back to the system, for memory that somebody else lacks.
  void DropIdle() ABSL_LOCKS_EXCLUDED(mutex_);

  size_t idle_bytes() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct IdleBlock {
    PageBuffer buffer;
    uint64_t since;  // counts releases
  };

  PageBuffer NewPages(size_t size) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void GiveBackIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t max_idle_bytes_;
  mutable absl::Mutex mutex_;
  std::unordered_map<void*, PageBuffer> in_use_ ABSL_GUARDED_BY(mutex_);
  std::multimap<size_t, IdleBlock> idle_ ABSL_GUARDED_BY(mutex_);  // by size
  size_t idle_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t releases_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace candor
