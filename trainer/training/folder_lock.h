// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace candor {

// A run's folder, for one process at a time. Given back by the destructor, and by the system when the process dies.
class FolderLock {
 public:
  // Takes FOLDER/.lock and removes what a killed process left half written (FOLDER/.NAME.tmp-...). FailedPrecondition:
  // another process has it. DataLoss: the file cannot be made.
  static absl::StatusOr<FolderLock> Take(const std::string& folder);

  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  FolderLock& operator=(FolderLock&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }

 private:
  explicit FolderLock(int file) : file_(file) {}

  int file_ = -1;
};

}  // namespace candor
