// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/file_list.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/model/strict_json.h"

namespace candor {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kPictureSuffixes[] = {".png", ".jpg", ".jpeg"};

absl::Status Refused(absl::string_view path, absl::string_view rule) {
  return absl::InvalidArgumentError(absl::StrCat(PathForMessage(path), ": ", rule));
}

// The name without its suffix, if that is one of a picture.
bool StemOfPicture(absl::string_view name, std::string* stem) {
  const std::string lower = absl::AsciiStrToLower(name);
  for (absl::string_view suffix : kPictureSuffixes) {
    if (!absl::EndsWith(lower, suffix)) continue;
    *stem = std::string(name.substr(0, name.size() - suffix.size()));
    return !stem->empty();
  }
  return false;
}

// Names in a directory that are not hidden, sorted; none if it cannot be read.
std::vector<std::string> NamesIn(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    if (!absl::StartsWith(name, ".")) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string AndMore(size_t count) { return count > 1 ? absl::StrCat(" (", count, " such files)") : ""; }

absl::Status CheckUnique(const std::vector<NamedFile>& files) {
  std::map<absl::string_view, const NamedFile*> by_stem;
  for (const NamedFile& file : files) {
    const auto [it, is_new] = by_stem.emplace(file.stem, &file);
    if (!is_new) return Refused(file.path, absl::StrCat("has the same name as ", PathForMessage(it->second->path)));
  }
  return absl::OkStatus();
}

}  // namespace

std::string PathForMessage(absl::string_view path) {
  const bool is_plain = IsUtf8(path) && std::none_of(path.begin(), path.end(), absl::ascii_iscntrl);
  return is_plain ? std::string(path) : absl::CHexEscape(path);
}

absl::StatusOr<DataFolder> DataFolder::Open(const std::string& path) {
  std::error_code error;
  const fs::path canonical = fs::canonical(path, error);
  if (error || !fs::is_directory(canonical, error)) {
    return absl::NotFoundError(absl::StrCat(PathForMessage(path), ": no such directory"));
  }
  std::string shown = path;
  while (shown.size() > 1 && shown.back() == '/') shown.pop_back();
  return DataFolder(std::move(shown), canonical.string());
}

std::string DataFolder::PathOf(absl::string_view relative) const {
  return relative.empty() ? path_ : absl::StrCat(path_, "/", relative);
}

bool DataFolder::HasDirectory(absl::string_view relative) const {
  std::error_code error;
  return fs::is_directory(PathOf(relative), error);
}

bool DataFolder::HasFile(absl::string_view relative) const {
  std::error_code error;
  return fs::is_regular_file(PathOf(relative), error);
}

std::vector<std::string> DataFolder::Directories(absl::string_view relative) const {
  std::vector<std::string> names = NamesIn(PathOf(relative));
  const auto is_other = [&](const std::string& name) {
    std::error_code error;
    return !fs::is_directory(absl::StrCat(PathOf(relative), "/", name), error);
  };
  names.erase(std::remove_if(names.begin(), names.end(), is_other), names.end());
  return names;
}

std::vector<std::string> DataFolder::FilesWithSuffix(absl::string_view relative, absl::string_view suffix) const {
  std::vector<std::string> stems;
  for (const std::string& name : NamesIn(PathOf(relative))) {
    std::error_code error;
    if (!absl::EndsWith(name, suffix) || name.size() == suffix.size()) continue;
    if (!fs::is_regular_file(absl::StrCat(PathOf(relative), "/", name), error)) continue;
    stems.push_back(name.substr(0, name.size() - suffix.size()));
  }
  return stems;
}

absl::Status DataFolder::CheckInside(const std::string& path) const {
  std::error_code error;
  const std::string canonical = fs::canonical(path, error).string();
  if (error) return Refused(path, "no such file, or a link to nowhere");
  const std::string root = canonical_ == "/" ? "/" : canonical_ + "/";
  if (!absl::StartsWith(absl::StrCat(canonical, "/"), root)) {
    return Refused(path, absl::StrCat("links to ", PathForMessage(canonical), ", outside the data folder"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<NamedFile>> DataFolder::Pictures(absl::string_view relative,
                                                            absl::string_view ending) const {
  const std::string directory = PathOf(relative);
  if (!HasDirectory(relative)) return Refused(directory, "no such directory");
  RETURN_IF_ERROR(CheckInside(directory));
  std::vector<NamedFile> files;
  for (const std::string& name : NamesIn(directory)) {
    std::string stem;
    if (!StemOfPicture(name, &stem) || !absl::EndsWith(stem, ending) || stem.size() == ending.size()) continue;
    stem.resize(stem.size() - ending.size());
    std::string path = absl::StrCat(directory, "/", name);
    std::error_code error;
    if (fs::is_symlink(path, error)) RETURN_IF_ERROR(CheckInside(path));
    if (!fs::is_regular_file(path, error)) return Refused(path, "not a regular file");
    files.push_back({std::move(stem), std::move(path)});
  }
  RETURN_IF_ERROR(CheckUnique(files));
  std::sort(files.begin(), files.end(), [](const NamedFile& a, const NamedFile& b) { return a.stem < b.stem; });
  return files;
}

absl::StatusOr<NamedFile> DataFolder::Picture(absl::string_view relative) const {
  NamedFile found;
  for (absl::string_view suffix : {".png", ".jpg", ".jpeg", ".PNG", ".JPG", ".JPEG"}) {
    const std::string name = absl::StrCat(relative, suffix);
    if (!HasFile(name)) continue;
    RETURN_IF_ERROR(CheckInside(PathOf(name)));
    if (!found.path.empty()) {
      return Refused(PathOf(name), absl::StrCat("has the same name as ", PathForMessage(found.path)));
    }
    found.path = PathOf(name);
  }
  if (found.path.empty()) return Refused(PathOf(relative), "no .png, .jpg or .jpeg of this name");
  found.stem = std::string(relative.substr(relative.rfind('/') + 1));
  return found;
}

absl::StatusOr<std::string> DataFolder::ReadText(absl::string_view relative) const {
  constexpr int64_t kMaxBytes = 16 << 20;
  const std::string path = PathOf(relative);
  RETURN_IF_ERROR(CheckInside(path));
  return ReadFile(path, kMaxBytes);
}

absl::StatusOr<std::vector<FilePair>> PairByStem(const std::vector<NamedFile>& images,
                                                 const std::vector<NamedFile>& masks, absl::string_view where) {
  if (images.empty() && masks.empty()) return Refused(where, "no pictures");
  RETURN_IF_ERROR(CheckUnique(images));
  RETURN_IF_ERROR(CheckUnique(masks));
  std::map<absl::string_view, const NamedFile*> unpaired_masks;
  for (const NamedFile& mask : masks) unpaired_masks[mask.stem] = &mask;
  std::vector<FilePair> pairs;
  std::vector<const NamedFile*> without_mask;
  for (const NamedFile& image : images) {
    const auto mask = unpaired_masks.find(image.stem);
    if (mask == unpaired_masks.end()) {
      without_mask.push_back(&image);
      continue;
    }
    pairs.push_back({image.stem, image.path, mask->second->path});
    unpaired_masks.erase(mask);
  }
  if (!without_mask.empty()) {
    return Refused(without_mask.front()->path, absl::StrCat("has no mask", AndMore(without_mask.size())));
  }
  if (!unpaired_masks.empty()) {
    return Refused(unpaired_masks.begin()->second->path,
                   absl::StrCat("is the mask of no picture", AndMore(unpaired_masks.size())));
  }
  return pairs;
}

absl::StatusOr<std::vector<std::string>> NamesFromList(absl::string_view text, const std::string& path) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  int line_number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++line_number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) continue;
    const auto refused = [&](absl::string_view rule) {
      return Refused(path, absl::StrCat("line ", line_number, ": \"", ForMessage(line), "\" ", rule));
    };
    if (!IsUtf8(line) || line.find_first_of("/\\") != absl::string_view::npos || line.front() == '.' ||
        std::any_of(line.begin(), line.end(), absl::ascii_iscntrl)) {
      return refused("is no plain file name");
    }
    if (!seen.insert(std::string(line)).second) return refused("comes twice");
    names.emplace_back(line);
  }
  return names;
}

}  // namespace candor
