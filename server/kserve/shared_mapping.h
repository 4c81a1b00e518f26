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
// SIGBUS, which would end this process; inside Access it only makes the access fail, in the way of libwayland's
// wl_shm_buffer_begin_access: the handler puts zeros in the mapping's place, and the copy goes on with these. Copying
// from a mapping takes a third of the time of pread, which looks up each page.
//
// Thread-safe. The first one sets the process's action for SIGBUS; faults elsewhere get the action that was set before.
class SharedMapping {
 public:
  enum class Rights { kRead, kReadAndWrite };

  // `bytes` of `fd` from `offset` on, bytes > 0; the file may be closed after it. ResourceExhausted: the system has no
  // room for it.
  static absl::StatusOr<std::unique_ptr<SharedMapping>> Map(int fd, uint64_t offset, uint64_t bytes, Rights rights);
  ~SharedMapping();
  SharedMapping(const SharedMapping&) = delete;
  SharedMapping& operator=(const SharedMapping&) = delete;

  // Calls `copy` with where the bytes begin; the pointer holds for that long. False, now and ever after: the file did
  // not have some of the bytes that were touched, and those read as zeros. Not to be nested.
  template <typename Copy>
  bool Access(const Copy& copy) const {
    const Scope scope(this);
    copy(begin_ + lead_);
    return !is_cut();
  }

 private:
  // While the thread may touch the mapping.
  class Scope {
   public:
    explicit Scope(const SharedMapping* mapping);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
  };

  SharedMapping(uint8_t* begin, size_t lead, size_t size) : begin_(begin), lead_(lead), size_(size) {}

  static void OnBusError(int signal, siginfo_t* info, void* context);
  bool Replace() const;
  bool is_cut() const;

  uint8_t* const begin_;  // a page's
  const size_t lead_;     // bytes of the page before those asked for
  const size_t size_;
  mutable std::atomic<bool> is_cut_{false};
};

}  // namespace candor
