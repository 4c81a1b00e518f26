// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/snapshots.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/file.h"
#include "core/base/in_file.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxWeightBytes = int64_t{4} << 30;

std::string SnapshotFolder(const std::string& folder) { return absl::StrCat(folder, "/snapshots"); }

}  // namespace

absl::Status WriteSnapshot(const std::string& folder, int64_t step, const TensorFile& weights, int keep) {
  RETURN_IF_ERROR(MakeDirectories(SnapshotFolder(folder)));
  ASSIGN_OR_RETURN(const std::string bytes, SerializeSafetensors(weights));
  RETURN_IF_ERROR(
      WriteFileAtomically(absl::StrFormat("%s/step-%09d.safetensors", SnapshotFolder(folder), step), bytes));
  std::vector<std::string> files = ListSnapshots(folder);
  for (size_t i = 0; i + static_cast<size_t>(keep) < files.size(); ++i) {
    std::error_code error;
    fs::remove(files[i], error);
    if (error) LogWarning("an old snapshot stays", {{"file", files[i]}, {"reason", error.message()}});
  }
  return absl::OkStatus();
}

std::vector<std::string> ListSnapshots(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(SnapshotFolder(folder), error)) {
    const std::string name = entry.path().filename().string();
    if (absl::StartsWith(name, "step-") && absl::EndsWith(name, ".safetensors")) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

absl::StatusOr<TensorFile> ReadSnapshot(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxWeightBytes));
  auto file = ParseSafetensors(bytes);
  if (!file.ok()) return InFile(path, file.status());
  return file;
}

}  // namespace candor
