// SPDX-License-Identifier: Apache-2.0
//
// Whole files, read with a limit and written so that a crash leaves the old file or the new one, never half of one.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace candor {

// The file's bytes. NotFound: no such file. InvalidArgument: a directory or other non-regular file, or larger than
// `max_bytes`. DataLoss: read error. Each message names the path and the rule.
absl::StatusOr<std::string> ReadFile(const std::string& path, int64_t max_bytes);

// Writes a temporary file beside `path` (O_EXCL), fsync, rename, fsync of the directory. On any error the old file is
// untouched and the temporary one removed; DataLoss with the path and the system's reason.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view contents);

// Makes the directory and its parents; OK if it is there. DataLoss otherwise.
absl::Status MakeDirectories(const std::string& path);

}  // namespace candor
