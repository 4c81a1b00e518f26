// SPDX-License-Identifier: Apache-2.0
//
// POSIX file calls behind absl::Status.
#include "core/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

std::string Reason(int error) { return std::generic_category().message(error); }

absl::Status WriteError(absl::string_view path, absl::string_view step, int error) {
  return absl::DataLossError(absl::StrCat(path, ": ", step, ": ", Reason(error)));
}

// Closes on destruction; Close() tells whether that worked, since a full disk may show only then.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  bool Close() {
    const int fd = fd_;
    fd_ = -1;
    return close(fd) == 0;
  }

 private:
  int fd_;
};

absl::Status TooLarge(const std::string& path, int64_t max_bytes) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": larger than the limit of ", max_bytes, " bytes"));
}

absl::Status WriteAll(int fd, absl::string_view contents, const std::string& path) {
  while (!contents.empty()) {
    const ssize_t written = write(fd, contents.data(), contents.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return WriteError(path, "cannot write", errno);
    contents.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

// The directory part of `path`, "." where it has none.
std::string DirectoryOf(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  return directory.empty() ? "." : directory;
}

// Makes and opens a file of a new name beside `path`, with the permissions any new file gets.
absl::StatusOr<int> CreateBeside(const std::string& path, std::string* temporary) {
  static std::atomic<unsigned> counter{0};
  const std::filesystem::path target(path);
  for (int attempt = 0; attempt < 100; ++attempt) {  // a killed run of the same process id may have left some
    *temporary = absl::StrCat(DirectoryOf(path), "/.", target.filename().string(), ".tmp-", getpid(), "-", counter++);
    const int fd = open(temporary->c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) return fd;
    if (errno != EEXIST) break;
  }
  return WriteError(path, "cannot make a temporary file beside it", errno);
}

absl::Status WriteAndRename(int raw_fd, const std::string& temporary, const std::string& path,
                            absl::string_view contents) {
  FileDescriptor file(raw_fd);
  RETURN_IF_ERROR(WriteAll(file.get(), contents, path));
  if (fsync(file.get()) != 0) return WriteError(path, "cannot flush", errno);
  if (!file.Close()) return WriteError(path, "cannot close", errno);
  if (rename(temporary.c_str(), path.c_str()) != 0) return WriteError(path, "cannot replace", errno);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, int64_t max_bytes) {
  // O_NONBLOCK: opening a pipe without a writer must not hang.
  FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return absl::NotFoundError(absl::StrCat(path, ": no such file"));
    return absl::DataLossError(absl::StrCat(path, ": cannot open: ", Reason(errno)));
  }
  struct stat info;
  if (fstat(file.get(), &info) != 0) return absl::DataLossError(absl::StrCat(path, ": cannot read: ", Reason(errno)));
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, S_ISDIR(info.st_mode) ? ": is a directory, not a file" : ": not a regular file"));
  }
  if (info.st_size > max_bytes) return TooLarge(path, max_bytes);

  // The size is a hint: the file may grow or shrink meanwhile, and the kernel's own files say 0.
  constexpr size_t kChunk = 4096;
  std::string contents(static_cast<size_t>(info.st_size) + 1, '\0');
  size_t used = 0;
  while (true) {
    if (used == contents.size()) contents.resize(used + std::max(kChunk, used / 2));
    const ssize_t got = read(file.get(), &contents[used], contents.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::DataLossError(absl::StrCat(path, ": cannot read: ", Reason(errno)));
    if (got == 0) break;
    used += static_cast<size_t>(got);
    if (used > static_cast<size_t>(max_bytes)) return TooLarge(path, max_bytes);
  }
  contents.resize(used);
  return contents;
}

absl::Status WriteFileAtomically(const std::string& path, absl::string_view contents) {
  std::string temporary;
  ASSIGN_OR_RETURN(const int fd, CreateBeside(path, &temporary));
  if (absl::Status status = WriteAndRename(fd, temporary, path, contents); !status.ok()) {
    unlink(temporary.c_str());
    return status;
  }
  // The rename itself must survive a power cut. The new file is in place already, so its loss is all that can be
  // reported.
  FileDescriptor directory(open(DirectoryOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || (fsync(directory.get()) != 0 && errno != EINVAL)) {  // EINVAL: not offered here
    return WriteError(path, "cannot flush its directory", errno);
  }
  return absl::OkStatus();
}

absl::Status MakeDirectories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return absl::DataLossError(absl::StrCat(path, ": cannot make the directory: ", error.message()));
  if (!std::filesystem::is_directory(path, error)) {
    return absl::DataLossError(absl::StrCat(path, ": cannot make the directory: a file is in its place"));
  }
  return absl::OkStatus();
}

}  // namespace candor
