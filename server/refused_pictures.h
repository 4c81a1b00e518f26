// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace candor {

// Keeps encoded pictures that could not be decoded, for whoever has to find out why: a bounded number of files in a
// folder of its own, NUMBER-REQUEST_ID.refused, the oldest removed first. What an earlier run left there counts, too.
// Thread-safe.
class RefusedPictures {
 public:
  // Makes the folder. InvalidArgument or DataLoss: it cannot be made or read.
  static absl::StatusOr<std::unique_ptr<RefusedPictures>> Open(const std::string& directory, int64_t max_bytes,
                                                               int max_files);

  // Writes the file, atomically, after removing what is beyond the bounds; takes the time of a flush to disk. Skips the
  // picture if another one is being written (a flood of them then costs one thread at most) or if it alone is larger
  // than the bound. The first of disk errors
  // in a row is logged. True: it is kept.
  bool Keep(absl::string_view request_id, absl::string_view picture) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct File {
    int64_t number = 0;
    std::string path;
    int64_t bytes = 0;
  };

  RefusedPictures(std::string directory, int64_t max_bytes, int max_files)
      : directory_(std::move(directory)), max_bytes_(max_bytes), max_files_(static_cast<size_t>(max_files)) {}

  absl::Status FindOldFiles() ABSL_LOCKS_EXCLUDED(mu_);
  bool Write(absl::string_view request_id, absl::string_view picture) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::string directory_;
  const int64_t max_bytes_;
  const size_t max_files_;
  absl::Mutex mu_;
  std::deque<File> files_ ABSL_GUARDED_BY(mu_);  // oldest first
  int64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;       // of all of them
  int64_t next_number_ ABSL_GUARDED_BY(mu_) = 1;
  bool is_disk_failing_ ABSL_GUARDED_BY(mu_) = false;  // the last one could not be written
};

}  // namespace candor
