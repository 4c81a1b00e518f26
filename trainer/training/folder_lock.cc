// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace candor {
namespace {

namespace fs = std::filesystem;

// The names that WriteFileAtomically gives.
void RemoveHalfWritten(const std::string& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    std::error_code ignored;  // it costs room only
    if (absl::StartsWith(name, ".") && absl::StrContains(name, ".tmp-")) fs::remove(entry.path(), ignored);
  }
}

}  // namespace

absl::StatusOr<FolderLock> FolderLock::Take(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/.lock");
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return absl::DataLossError(absl::StrCat(path, ": cannot be made: ", std::strerror(errno)));
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    close(file);
    return absl::FailedPreconditionError(absl::StrCat(folder, ": another process is training in it"));
  }
  RemoveHalfWritten(folder);
  return FolderLock(file);
}

FolderLock::~FolderLock() {
  if (file_ >= 0) close(file_);
}

}  // namespace candor
