// SPDX-License-Identifier: Apache-2.0
//
// Models on disk. A place is a directory that is a bundle, or one whose integer subdirectories are the bundles of one
// model, a version each; the directory's name is the model's. A version under copy has no model.json yet: it is listed,
// and never chosen. Pure functions of the disk, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace candor {

struct VersionOnDisk {
  int number = 1;
  std::string directory;
  bool is_complete = false;
};

// The name of the model at `place`, even if nothing is there.
absl::StatusOr<std::string> ModelNameAt(const std::string& place);

// All versions, ascending; a bundle by itself is its only one. NotFound: no such directory.
absl::StatusOr<std::vector<VersionOnDisk>> ListVersionsAt(const std::string& place);

// Version `wanted`, or the newest for 0, among those that are complete. NotFound, the message begins with the path:
// there is none.
absl::StatusOr<VersionOnDisk> ChooseVersion(const std::string& place, int wanted);

// The first of `roots` with a subdirectory `model`, joined with it. NotFound: none has one, or `model` is no name of a
// directory, so that no path leads out of the roots.
absl::StatusOr<std::string> FindModelPlace(absl::Span<const std::string> roots, absl::string_view model);

// Every model that the roots hold, sorted, each once.
std::vector<std::string> ModelsIn(absl::Span<const std::string> roots);

}  // namespace candor
