// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"

namespace candor {

// A piece of a file that another process may cut short at any moment, mapped. Touching what has been cut off raises
// SIGBUS, which would end this process; of a mapping's bytes it is no more than a mark (libwayland's
// wl_shm_buffer_begin_access is made alike): the handler puts zeros in the mapping's place, and whoever touched them
// goes on with these. Copying from a mapping takes a third of the time of pread, which looks up each page.
//
// Thread-safe. The first one sets the process's action for SIGBUS; faults elsewhere get the action that was set before.
class SharedMapping {
 public:
  enum class Rights { kRead, kReadAndWrite };

  static constexpr size_t kMost = 1024;  // at a time, in a process

  // `bytes` of `fd` from `offset` on, bytes > 0; the file may be closed after it. ResourceExhausted: the system has no
  // room for it, or there are kMost.
  static absl::StatusOr<std::unique_ptr<SharedMapping>> Map(int fd, uint64_t offset, uint64_t bytes, Rights rights);
  ~SharedMapping();
  SharedMapping(const SharedMapping&) = delete;
  SharedMapping& operator=(const SharedMapping&) = delete;

  // Where the bytes begin while this object lives. The other process may change them while they are read.
  uint8_t* bytes() const { return begin_ + lead_; }

  // True, now and ever after: the file did not have some of the bytes that were touched before; all of them have read
  // as zeros from then on, and what was written is lost.
  bool is_cut() const;

 private:
  // What the signal handler sees of a mapping.
  struct Range {
    std::atomic<uintptr_t> begin{0};  // 0: free
    std::atomic<size_t> size{0};
    std::atomic<bool> is_cut{false};
  };

  SharedMapping(uint8_t* begin, size_t lead, size_t size, Range* range)
      : begin_(begin), lead_(lead), size_(size), range_(range) {}

  static void OnBusError(int signal, siginfo_t* info, void* context);
  static bool SetHandler();
  // Null: there is no free one.
  static Range* Claim(uint8_t* begin, size_t size);
  static bool ReplaceAround(uintptr_t address);

  static Range ranges_[kMost];

  uint8_t* const begin_;  // a page's
  const size_t lead_;     // bytes of the page before those asked for
  const size_t size_;
  Range* const range_;
};

}  // namespace candor
