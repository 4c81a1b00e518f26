// SPDX-License-Identifier: Apache-2.0
#include "server/lifecycle/model_repository.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/model/bundle.h"

namespace candor {
namespace {

namespace fs = std::filesystem;

// "7", but not "07": two directories would be one version.
std::optional<int> VersionOf(const std::string& name) {
  int number = 0;
  const bool all_digits = std::all_of(name.begin(), name.end(), absl::ascii_isdigit);
  if (!all_digits || !absl::SimpleAtoi(name, &number) || number < 1 || absl::StrCat(number) != name)
    return std::nullopt;
  return number;
}

std::vector<std::string> SubdirectoriesOf(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored)) names.push_back(entry->path().filename().string());
  }
  return names;
}

bool IsDirectory(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

// A name that stays in its directory.
bool IsPlainName(absl::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == absl::string_view::npos &&
         name.find('\0') == absl::string_view::npos;
}

}  // namespace

absl::StatusOr<std::string> ModelNameAt(const std::string& place) {
  // Of a directory of versions the name is that of the versions in it.
  const std::string bundle = HoldsBundle(place) ? place : (fs::path(place) / "1").string();
  ASSIGN_OR_RETURN(BundleName name, NameOfBundle(bundle));
  return name.name;
}

absl::StatusOr<std::vector<VersionOnDisk>> ListVersionsAt(const std::string& place) {
  if (!IsDirectory(place)) return absl::NotFoundError(absl::StrCat(place, ": no such directory"));
  std::vector<VersionOnDisk> versions;
  if (HoldsBundle(place)) {
    ASSIGN_OR_RETURN(const BundleName name, NameOfBundle(place));
    versions.push_back({name.version, place, true});
    return versions;
  }
  for (const std::string& name : SubdirectoriesOf(place)) {
    const std::optional<int> number = VersionOf(name);
    if (!number.has_value()) continue;
    std::string directory = (fs::path(place) / name).string();
    const bool is_complete = HoldsBundle(directory);
    versions.push_back({*number, std::move(directory), is_complete});
  }
  std::sort(versions.begin(), versions.end(),
            [](const VersionOnDisk& a, const VersionOnDisk& b) { return a.number < b.number; });
  return versions;
}

absl::StatusOr<VersionOnDisk> ChooseVersion(const std::string& place, int wanted) {
  ASSIGN_OR_RETURN(const std::vector<VersionOnDisk> versions, ListVersionsAt(place));
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    if (version->is_complete && (wanted == 0 || version->number == wanted)) return *version;
  }
  if (wanted == 0) {
    return absl::NotFoundError(
        absl::StrCat(place, ": holds neither a model.json nor a version directory that has one"));
  }
  return absl::NotFoundError(absl::StrCat(place, ": has no complete version ", wanted));
}

absl::StatusOr<std::string> FindModelPlace(absl::Span<const std::string> roots, absl::string_view model) {
  if (IsPlainName(model)) {
    for (const std::string& root : roots) {
      std::string place = (fs::path(root) / std::string(model)).string();
      // A bundle whose name is a number would be a version of the root's.
      if (const auto name = ModelNameAt(place); IsDirectory(place) && name.ok() && *name == model) return place;
    }
  }
  return absl::NotFoundError(absl::StrCat("no model is called \"", absl::CHexEscape(model.substr(0, 64)),
                                          "\" in the configuration or in model_roots"));
}

std::vector<std::string> ModelsIn(absl::Span<const std::string> roots) {
  std::set<std::string> names;
  for (const std::string& root : roots) {
    for (std::string& name : SubdirectoriesOf(root)) {
      const absl::StatusOr<std::string> place = FindModelPlace({root}, name);
      if (place.ok() && ChooseVersion(*place, 0).ok()) names.insert(std::move(name));
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace candor
