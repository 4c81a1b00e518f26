// SPDX-License-Identifier: Apache-2.0
//
// Checks, reads and decodes the IMAGE arguments.
#include "client/cli/pictures.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/image/decode.h"

namespace candor {
namespace {

constexpr int64_t kMaxPictureBytes = int64_t{256} << 20;

// Comparable whatever way the path was written; files that are not there yet included.
std::string Canonical(const std::string& path) {
  std::error_code error;
  const std::filesystem::path canonical = std::filesystem::weakly_canonical(path, error);
  return error ? path : canonical.string();
}

}  // namespace

std::string OutputStem(const std::string& picture) {
  return picture == "-" ? "stdin" : std::filesystem::path(picture).stem().string();
}

std::string OutputPath(const std::string& directory, const std::string& stem, const std::string& suffix) {
  return (std::filesystem::path(directory) / absl::StrCat(stem, suffix)).string();
}

absl::Status CheckPictures(const std::vector<std::string>& pictures, const std::string& out,
                           const std::vector<std::string>& suffixes) {
  bool seen_stdin = false;
  for (const std::string& picture : pictures) {
    if (picture == "-" && seen_stdin) return absl::InvalidArgumentError("IMAGE: \"-\" may be named once, got twice");
    seen_stdin = seen_stdin || picture == "-";
  }
  if (out.empty()) return absl::OkStatus();
  std::map<std::string, std::string> picture_of_stem;
  std::map<std::string, std::string> picture_of_path;
  for (const std::string& picture : pictures) {
    const auto [entry, is_new] = picture_of_stem.emplace(OutputStem(picture), picture);
    if (!is_new) {
      return absl::InvalidArgumentError(
          absl::StrCat("IMAGE: ", entry->second, " and ", picture, " would both write ", entry->first, "_* in ", out));
    }
    if (picture != "-") picture_of_path.emplace(Canonical(picture), picture);
  }
  for (const std::string& picture : pictures) {
    for (const std::string& suffix : suffixes) {
      const std::string output = OutputPath(out, OutputStem(picture), suffix);
      if (const auto clash = picture_of_path.find(Canonical(output)); clash != picture_of_path.end()) {
        return absl::InvalidArgumentError(
            absl::StrCat("--out: ", output, ", made from ", picture, ", would overwrite IMAGE ", clash->second));
      }
    }
  }
  return absl::OkStatus();
}

bool IsPictureName(const std::string& path) {
  const std::filesystem::path name(path);
  const std::string extension = absl::AsciiStrToLower(name.extension().string());
  const bool is_picture = extension == ".jpg" || extension == ".jpeg" || extension == ".png";
  return is_picture && !absl::EndsWith(name.stem().string(), kTruthSuffix);
}

absl::StatusOr<std::vector<std::string>> ExpandFolders(const std::vector<std::string>& paths) {
  std::vector<std::string> pictures;
  for (const std::string& path : paths) {
    std::error_code error;
    if (path == "-" || !std::filesystem::is_directory(path, error)) {
      pictures.push_back(path);
      continue;
    }
    std::vector<std::string> found;
    std::filesystem::directory_iterator entry(path, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
      if (IsPictureName(entry->path().string())) found.push_back(entry->path().string());
    }
    if (error) return absl::DataLossError(absl::StrCat(path, ": cannot be read: ", error.message()));
    if (found.empty()) return absl::DataLossError(absl::StrCat(path, ": has no .jpg, .jpeg or .png files"));
    std::sort(found.begin(), found.end());
    pictures.insert(pictures.end(), found.begin(), found.end());
  }
  return pictures;
}

absl::StatusOr<std::string> ReadPicture(const std::string& picture, std::istream& in) {
  if (picture != "-") {
    absl::StatusOr<std::string> bytes = ReadFile(picture, kMaxPictureBytes);
    if (!bytes.ok()) return absl::DataLossError(bytes.status().message());
    return bytes;
  }
  std::string bytes;
  std::vector<char> chunk(1 << 16);
  while (in.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || in.gcount() > 0) {
    bytes.append(chunk.data(), in.gcount());
    if (static_cast<int64_t>(bytes.size()) > kMaxPictureBytes) {
      return absl::DataLossError(absl::StrCat("standard input: must be at most ", kMaxPictureBytes, " bytes"));
    }
  }
  if (in.bad()) return absl::DataLossError("standard input: read error");
  return bytes;
}

absl::StatusOr<Image> DecodeForOverlay(const std::string& file_bytes, int server_width, int server_height) {
  // The server has accepted the picture, so its size is the limit here.
  ASSIGN_OR_RETURN(Image image, DecodeImage(file_bytes, {int64_t{server_width} * server_height}));
  if (image.width != server_width || image.height != server_height) {
    return absl::InternalError(absl::StrCat("the picture is ", image.width, "x", image.height,
                                            ", but the server's maps are ", server_width, "x", server_height));
  }
  return image;
}

}  // namespace candor
