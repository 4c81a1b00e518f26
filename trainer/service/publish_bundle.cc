// SPDX-License-Identifier: Apache-2.0
#include "trainer/service/publish_bundle.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/model/bundle.h"

namespace candor {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxBytes = int64_t{1} << 32;

// A folder beside the versions whose name is no version; removed at the end unless it was renamed.
class Draft {
 public:
  static absl::StatusOr<Draft> Make(const std::string& place) {
    std::string path = absl::StrCat(place, "/.draft-XXXXXX");
    if (mkdtemp(path.data()) == nullptr) return absl::DataLossError(absl::StrCat(path, ": ", std::strerror(errno)));
    chmod(path.c_str(), 0755);
    return Draft(path);
  }
  ~Draft() {
    std::error_code error;
    if (!path_.empty()) fs::remove_all(path_, error);
  }
  Draft(Draft&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  Draft& operator=(Draft&&) = delete;

  const std::string& path() const { return path_; }
  void Release() { path_.clear(); }

 private:
  explicit Draft(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

int NewestVersion(const std::string& place) {
  int newest = 0;
  for (const auto& entry : fs::directory_iterator(place)) {
    int version = 0;
    if (absl::SimpleAtoi(entry.path().filename().string(), &version)) newest = std::max(newest, version);
  }
  return newest;
}

absl::Status CopyFile(const std::string& from, const std::string& to, const std::string& name) {
  ASSIGN_OR_RETURN(const std::string contents, ReadFile(absl::StrCat(from, "/", name), kMaxBytes));
  return WriteFileAtomically(absl::StrCat(to, "/", name), contents);
}

}  // namespace

absl::StatusOr<PublishedBundle> PublishBundle(const std::string& bundle, const std::string& repository,
                                              const std::string& model) {
  const std::string place = absl::StrCat(repository, "/", model);
  ASSIGN_OR_RETURN(const Bundle source, ReadBundle(bundle));
  RETURN_IF_ERROR(MakeDirectories(place));
  ASSIGN_OR_RETURN(Draft draft, Draft::Make(place));
  for (const FileRecord& weights : source.spec.weights) {
    RETURN_IF_ERROR(CopyFile(bundle, draft.path(), weights.name));
  }
  RETURN_IF_ERROR(CopyFile(bundle, draft.path(), "model.json"));
  for (int version = NewestVersion(place) + 1;; ++version) {
    const std::string directory = absl::StrCat(place, "/", version);
    // Fails on a directory that holds something: another one was quicker.
    if (rename(draft.path().c_str(), directory.c_str()) == 0) {
      draft.Release();
      return PublishedBundle{directory, version, source.digest};
    }
    if (errno != ENOTEMPTY && errno != EEXIST) {
      return absl::DataLossError(absl::StrCat(directory, ": ", std::strerror(errno)));
    }
  }
}

}  // namespace candor
