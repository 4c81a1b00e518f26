// SPDX-License-Identifier: Apache-2.0
//
// The IMAGE arguments of a command, and the names of the files made from them.
#pragma once

#include <istream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/image/image.h"

namespace candor {

// The picture's name in output files: "street" for "data/street.jpg", "stdin" for "-".
std::string OutputStem(const std::string& picture);

// `directory`/`stem``suffix`.
std::string OutputPath(const std::string& directory, const std::string& stem, const std::string& suffix);

// InvalidArgument: "-" named twice; and, if `out` is not empty, two pictures whose files in it would have one name, or
// a picture that one of its files (OutputPath with each of `suffixes`) would overwrite. Names both.
absl::Status CheckPictures(const std::vector<std::string>& pictures, const std::string& out,
                           const std::vector<std::string>& suffixes);

// What a data set calls the ground truth of NAME.jpg: NAME_truth.png.
inline constexpr char kTruthSuffix[] = "_truth";

// Whether a file found in a folder is a picture to segment: .jpg, .jpeg or .png, but no ground truth.
bool IsPictureName(const std::string& path);

// `paths` with each folder replaced by its pictures, by name. DataLoss: a folder cannot be read, or has none.
absl::StatusOr<std::vector<std::string>> ExpandFolders(const std::vector<std::string>& paths);

// The file's bytes; "-" reads `in` to its end. DataLoss: cannot be read, is a directory, or over 256 MiB.
absl::StatusOr<std::string> ReadPicture(const std::string& picture, std::istream& in);

// The picture as the server saw it. Internal: the server reported another size, so its maps would not fit.
absl::StatusOr<Image> DecodeForOverlay(const std::string& file_bytes, int server_width, int server_height);

}  // namespace candor
