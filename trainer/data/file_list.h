// SPDX-License-Identifier: Apache-2.0
//
// Finds the pictures and masks of a split and pairs them by name. Nothing outside the data set's folder is ever opened:
// links are followed only inside it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace candor {

// A path for a message: whole, on one line.
std::string PathForMessage(absl::string_view path);

struct NamedFile {
  std::string stem;  // file name without suffix and without the ending that was asked for
  std::string path;
};

struct FilePair {
  std::string name;
  std::string image_path;
  std::string mask_path;
};

// A data set's folder. Immutable.
class DataFolder {
 public:
  // NotFound: no such directory.
  static absl::StatusOr<DataFolder> Open(const std::string& path);

  // `relative` below the folder, for opening and messages.
  std::string PathOf(absl::string_view relative) const;
  bool HasDirectory(absl::string_view relative) const;
  bool HasFile(absl::string_view relative) const;
  // Names of the directories in `relative`, sorted; none if there is no such directory. Hidden ones are left out.
  std::vector<std::string> Directories(absl::string_view relative) const;
  // Names of the files in `relative` with a suffix such as ".txt", without it, sorted.
  std::vector<std::string> FilesWithSuffix(absl::string_view relative, absl::string_view suffix) const;

  // The files in `relative` (not below) that are called STEM + ending + .png, .jpg or .jpeg (in any case), by stem.
  // Others and hidden ones are left out. InvalidArgument: no such directory, two files of one stem, a link out of the
  // folder, something else than a file.
  absl::StatusOr<std::vector<NamedFile>> Pictures(absl::string_view relative, absl::string_view ending) const;
  // The one file called `relative` + .png, .jpg or .jpeg. InvalidArgument: none, or as above.
  absl::StatusOr<NamedFile> Picture(absl::string_view relative) const;
  // A text file, at most 16 MiB. InvalidArgument also for a link out of the folder.
  absl::StatusOr<std::string> ReadText(absl::string_view relative) const;

 private:
  DataFolder(std::string path, std::string canonical) : path_(std::move(path)), canonical_(std::move(canonical)) {}
  absl::Status CheckInside(const std::string& path) const;

  std::string path_;       // as given
  std::string canonical_;  // absolute, without links
};

// Pairs by stem. InvalidArgument: no picture at all, two of one stem, a picture without a mask or a mask without a
// picture (the message names the first and says how many there are). `where` begins the message about an empty split.
absl::StatusOr<std::vector<FilePair>> PairByStem(const std::vector<NamedFile>& images,
                                                 const std::vector<NamedFile>& masks, absl::string_view where);

// Lines of a split's list without blanks around them; empty ones are left out. InvalidArgument ("FILE: line N: ...")
// for a name that could lead elsewhere: with a slash, a backslash or a leading dot, not UTF-8, or twice.
absl::StatusOr<std::vector<std::string>> NamesFromList(absl::string_view text, const std::string& path);

}  // namespace candor
