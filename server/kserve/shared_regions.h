// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "server/kserve/infer_codec.h"

namespace candor {

// POSIX shared memory that clients have registered by name, mapped so that a client that cuts its file short gets an
// error (shared_mapping.h). Thread-safe.
class SharedRegions {
 public:
  static constexpr size_t kMostRegions = 256;  // each holds a descriptor

  struct Region {
    std::string name;
    std::string key;  // of shm_open
    uint64_t offset = 0;
    uint64_t bytes = 0;
  };

  struct Open;

  SharedRegions() = default;
  SharedRegions(const SharedRegions&) = delete;
  SharedRegions& operator=(const SharedRegions&) = delete;

  // AlreadyExists: the name is taken; InvalidArgument: a name or key that may not be, or a region beyond the end of
  // what `key` means; NotFound: no such key; ResourceExhausted: too many regions, or too large for the address space.
  absl::Status Register(const Region& region) ABSL_LOCKS_EXCLUDED(mu_);
  // "" for all; a name that is not there is no error.
  void Unregister(absl::string_view name) ABSL_LOCKS_EXCLUDED(mu_);
  // "" for all. NotFound: no such name.
  absl::StatusOr<std::vector<Region>> List(absl::string_view name) const ABSL_LOCKS_EXCLUDED(mu_);

  // Keeps a tensor's bytes where they are, though their region be unregistered.
  class Borrowed {
   public:
    absl::string_view bytes() const { return bytes_; }
    // InvalidArgument: some of the bytes that have been read were in pages that were not there. To be asked after the
    // last was read.
    absl::Status Check() const;

   private:
    friend class SharedRegions;
    Borrowed(std::shared_ptr<const Open> open, absl::string_view bytes) : open_(std::move(open)), bytes_(bytes) {}

    std::shared_ptr<const Open> open_;
    absl::string_view bytes_;
  };

  // InvalidArgument: no such region, beyond its end, or beyond the end of the file as it is now or was at some time
  // since while it was used.
  absl::StatusOr<Borrowed> Borrow(const SharedTensor& tensor) const ABSL_LOCKS_EXCLUDED(mu_);
  // A copy. Errors as above, and the bytes' own.
  absl::StatusOr<std::string> Read(const SharedTensor& tensor) const ABSL_LOCKS_EXCLUDED(mu_);
  // Writes `bytes` at the tensor's place, from its byte `at` on, and not beyond its end. Errors as above.
  absl::Status Write(const SharedTensor& tensor, uint64_t at, absl::string_view bytes) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // That the tensor is inside its region, and its first `bytes` bytes inside the file.
  absl::Status CheckPlace(const Open& open, const SharedTensor& tensor, uint64_t bytes) const;
  static absl::Status CheckWhole(const Open& open);
  absl::StatusOr<std::shared_ptr<const Open>> Find(const std::string& name) const ABSL_LOCKS_EXCLUDED(mu_);

  mutable absl::Mutex mu_;
  // Shared with requests that use a region while it is unregistered.
  std::map<std::string, std::shared_ptr<const Open>, std::less<>> regions_ ABSL_GUARDED_BY(mu_);
};

// Where a caller has none: not configured, or it is on another machine.
absl::Status NoSharedMemory();

}  // namespace candor
