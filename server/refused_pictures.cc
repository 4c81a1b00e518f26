// SPDX-License-Identifier: Apache-2.0
//
// A folder of files with bounds.
#include "server/refused_pictures.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

constexpr char kSuffix[] = ".refused";

// The number that a file name of ours begins with; false for any other name.
bool ParseNumber(absl::string_view name, int64_t* number) {
  const size_t dash = name.find('-');
  return absl::EndsWith(name, kSuffix) && dash != absl::string_view::npos && dash > 0 &&
         absl::ascii_isdigit(static_cast<unsigned char>(name[0])) && absl::SimpleAtoi(name.substr(0, dash), number);
}

// What may stand in a file name. The id is the client's.
std::string SafeName(absl::string_view request_id) {
  std::string name(request_id.substr(0, 64));
  for (char& c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_' && c != '.') c = '_';
  }
  return name;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RefusedPictures>> RefusedPictures::Open(const std::string& directory, int64_t max_bytes,
                                                                       int max_files) {
  if (directory.empty()) return absl::InvalidArgumentError("must name a folder, got \"\"");
  RETURN_IF_ERROR(MakeDirectories(directory));
  std::unique_ptr<RefusedPictures> pictures(new RefusedPictures(directory, max_bytes, max_files));
  RETURN_IF_ERROR(pictures->FindOldFiles());
  return pictures;
}

absl::Status RefusedPictures::FindOldFiles() {
  absl::MutexLock lock(&mu_);
  std::error_code error;
  std::filesystem::directory_iterator entry(directory_, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    File file;
    if (!ParseNumber(entry->path().filename().string(), &file.number)) continue;
    std::error_code gone;
    file.bytes = static_cast<int64_t>(entry->file_size(gone));
    if (gone) continue;  // a folder, or removed meanwhile
    file.path = entry->path().string();
    bytes_ += file.bytes;
    next_number_ = std::max(next_number_, file.number + 1);
    files_.push_back(std::move(file));
  }
  if (error) return absl::DataLossError(absl::StrCat(directory_, ": cannot be listed: ", error.message()));
  std::sort(files_.begin(), files_.end(), [](const File& a, const File& b) { return a.number < b.number; });
  return absl::OkStatus();
}

bool RefusedPictures::Keep(absl::string_view request_id, absl::string_view picture) {
  if (static_cast<int64_t>(picture.size()) > max_bytes_ || !mu_.TryLock()) return false;
  const bool is_kept = Write(request_id, picture);
  mu_.Unlock();
  return is_kept;
}

bool RefusedPictures::Write(absl::string_view request_id, absl::string_view picture) {
  const auto size = static_cast<int64_t>(picture.size());
  while (!files_.empty() && (bytes_ + size > max_bytes_ || files_.size() + 1 > max_files_)) {
    std::error_code error;
    std::filesystem::remove(files_.front().path, error);
    if (error) {  // it still takes its place: no new one
      LogWarning("a refused picture cannot be removed", {{"path", files_.front().path}, {"error", error.message()}});
      return false;
    }
    bytes_ -= files_.front().bytes;
    files_.pop_front();
  }
  const int64_t number = next_number_++;
  const std::string path = absl::StrFormat("%s/%010d-%s%s", directory_, number, SafeName(request_id), kSuffix);
  if (const absl::Status status = WriteFileAtomically(path, picture); !status.ok()) {
    if (!std::exchange(is_disk_failing_, true)) {
      LogWarning("a refused picture is not kept, nor others until the disk takes one again",
                 {{"request_id", request_id}, {"error", status.message()}});
    }
    return false;
  }
  is_disk_failing_ = false;
  bytes_ += size;
  files_.push_back({number, path, size});
  return true;
}

}  // namespace candor
