// SPDX-License-Identifier: Apache-2.0
//
// Checks and copies; every length is held against the file as it is at that moment, which mostly finds out what has
// been cut short, with a better message than the mapping has.
#include "server/kserve/shared_regions.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/kserve/shared_mapping.h"

namespace candor {

// A descriptor and its mapping, which end with the last user.
struct SharedRegions::Open {
  explicit Open(Region opened) : region(std::move(opened)) {}
  ~Open() {
    if (fd >= 0) close(fd);
  }
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;

  const Region region;
  int fd = -1;
  bool is_writable = false;
  std::unique_ptr<const SharedMapping> memory;
};

namespace {

constexpr size_t kMostNameBytes = 255;

bool IsPlain(absl::string_view text) {
  return !text.empty() && text.size() <= kMostNameBytes && std::all_of(text.begin(), text.end(), absl::ascii_isgraph);
}

absl::Status CheckKey(absl::string_view key) {
  const absl::string_view file = key.substr(!key.empty() && key[0] == '/' ? 1 : 0);
  if (IsPlain(file) && file.find('/') == absl::string_view::npos && file != "." && file != "..") {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("key: must be 1 to 255 visible ASCII characters without a slash, but for a first one, got \"",
                   absl::CHexEscape(key.substr(0, 64)), "\""));
}

// The file's size now; nothing if it is no plain file.
absl::StatusOr<uint64_t> SizeOf(int fd) {
  struct stat info {};
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) return static_cast<uint64_t>(info.st_size);
  return absl::InvalidArgumentError("key: is no shared memory");
}

}  // namespace

absl::Status NoSharedMemory() {
  return absl::UnimplementedError(
      "shared_memory_region: shared memory needs system_shared_memory in the server's configuration, and a caller on "
      "the "
      "server's machine");
}

absl::Status SharedRegions::Register(const Region& region) {
  if (!IsPlain(region.name)) {
    return absl::InvalidArgumentError("name: must be 1 to 255 visible ASCII characters");
  }
  RETURN_IF_ERROR(CheckKey(region.key));
  const std::string key = absl::StrCat(region.key[0] == '/' ? "" : "/", region.key);
  auto open = std::make_shared<Open>(region);
  open->fd = shm_open(key.c_str(), O_RDWR, 0);
  open->is_writable = open->fd >= 0;
  if (open->fd < 0 && errno == EACCES) open->fd = shm_open(key.c_str(), O_RDONLY, 0);
  if (open->fd < 0) {
    const int error = errno;
    const std::string message = absl::StrCat("key: cannot open shared memory ", key, ": ", std::strerror(error));
    return error == ENOENT ? absl::NotFoundError(message) : absl::InvalidArgumentError(message);
  }
  ASSIGN_OR_RETURN(const uint64_t size, SizeOf(open->fd));
  if (region.bytes == 0 || region.offset > size || region.bytes > size - region.offset) {
    return absl::InvalidArgumentError(absl::StrCat("byte_size: offset ", region.offset, " and ", region.bytes,
                                                   " bytes must be inside the ", size, " bytes of ", key,
                                                   ", and not empty"));
  }
  ASSIGN_OR_RETURN(open->memory, SharedMapping::Map(open->fd, region.offset, region.bytes,
                                                    open->is_writable ? SharedMapping::Rights::kReadAndWrite
                                                                      : SharedMapping::Rights::kRead));
  absl::MutexLock lock(&mu_);
  if (regions_.size() >= kMostRegions) {
    return absl::ResourceExhaustedError(absl::StrCat("name: ", kMostRegions, " regions are registered, the most"));
  }
  if (!regions_.emplace(region.name, std::move(open)).second) {
    return absl::AlreadyExistsError(absl::StrCat("name: shared memory region '", region.name, "' already in manager"));
  }
  return absl::OkStatus();
}

void SharedRegions::Unregister(absl::string_view name) {
  std::map<std::string, std::shared_ptr<const Open>, std::less<>> gone;  // closed outside the lock
  absl::MutexLock lock(&mu_);
  if (name.empty()) {
    regions_.swap(gone);
  } else if (const auto found = regions_.find(name); found != regions_.end()) {
    gone.insert(regions_.extract(found));
  }
}

absl::StatusOr<std::shared_ptr<const SharedRegions::Open>> SharedRegions::Find(const std::string& name) const {
  absl::MutexLock lock(&mu_);
  const auto found = regions_.find(name);
  if (found != regions_.end()) return found->second;
  return absl::InvalidArgumentError(
      absl::StrCat("shared_memory_region: no region \"", absl::CHexEscape(name.substr(0, 64)), "\" is registered"));
}

absl::StatusOr<std::vector<SharedRegions::Region>> SharedRegions::List(absl::string_view name) const {
  std::vector<Region> result;
  absl::MutexLock lock(&mu_);
  for (const auto& [key, open] : regions_) {
    if (name.empty() || key == name) result.push_back(open->region);
  }
  if (!name.empty() && result.empty()) {
    return absl::NotFoundError(
        absl::StrCat("name: no region \"", absl::CHexEscape(name.substr(0, 64)), "\" is registered"));
  }
  return result;
}

absl::Status SharedRegions::CheckPlace(const Open& open, const SharedTensor& tensor, uint64_t bytes) const {
  const Region& region = open.region;
  if (tensor.offset > region.bytes || tensor.bytes > region.bytes - tensor.offset) {
    return absl::InvalidArgumentError(absl::StrCat("shared_memory_byte_size: offset ", tensor.offset, " and ",
                                                   tensor.bytes, " bytes go beyond the ", region.bytes,
                                                   " bytes of region \"", region.name, "\""));
  }
  const uint64_t place = region.offset + tensor.offset;
  ASSIGN_OR_RETURN(const uint64_t size, SizeOf(open.fd));
  if (place <= size && bytes <= size - place) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("shared_memory_region: the memory of \"", region.name,
                                                 "\" has been cut to ", size, " bytes since it was registered"));
}

absl::Status SharedRegions::CheckWhole(const Open& open) {
  if (!open.memory->is_cut()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("shared_memory_region: the memory of \"", open.region.name,
                                                 "\" was cut while it was used, it must be registered anew"));
}

absl::Status SharedRegions::Borrowed::Check() const { return CheckWhole(*open_); }

absl::StatusOr<SharedRegions::Borrowed> SharedRegions::Borrow(const SharedTensor& tensor) const {
  ASSIGN_OR_RETURN(std::shared_ptr<const Open> open, Find(tensor.region));
  RETURN_IF_ERROR(CheckPlace(*open, tensor, tensor.bytes));
  RETURN_IF_ERROR(CheckWhole(*open));
  const absl::string_view bytes(reinterpret_cast<const char*>(open->memory->bytes() + tensor.offset), tensor.bytes);
  return Borrowed(std::move(open), bytes);
}

absl::StatusOr<std::string> SharedRegions::Read(const SharedTensor& tensor) const {
  ASSIGN_OR_RETURN(const Borrowed borrowed, Borrow(tensor));
  std::string bytes(borrowed.bytes());
  RETURN_IF_ERROR(borrowed.Check());
  return bytes;
}

absl::Status SharedRegions::Write(const SharedTensor& tensor, uint64_t at, absl::string_view bytes) const {
  ASSIGN_OR_RETURN(const std::shared_ptr<const Open> open, Find(tensor.region));
  if (at > tensor.bytes || bytes.size() > tensor.bytes - at) {
    return absl::InvalidArgumentError(absl::StrCat("shared_memory_byte_size: the output needs ", at + bytes.size(),
                                                   " bytes, region \"", tensor.region, "\" has ", tensor.bytes,
                                                   " for it"));
  }
  if (!open->is_writable) {
    return absl::InvalidArgumentError(
        absl::StrCat("shared_memory_region: the server may not write to \"", tensor.region, "\""));
  }
  RETURN_IF_ERROR(CheckPlace(*open, tensor, at + bytes.size()));
  RETURN_IF_ERROR(CheckWhole(*open));  // what has taken its place would only grow
  std::memcpy(open->memory->bytes() + tensor.offset + at, bytes.data(), bytes.size());
  return CheckWhole(*open);
}

}  // namespace candor
