// SPDX-License-Identifier: Apache-2.0
//
// JPEG files that follow each other without a gap, as ffmpeg writes them into a pipe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace candor {

// Thread-compatible.
class JpegSplitter {
 public:
  void Append(absl::string_view bytes) { pending_.append(bytes.data(), bytes.size()); }

  // The next file that has come whole. DataLoss: what came is no JPEG, or longer than `max_bytes`.
  absl::StatusOr<std::optional<std::string>> Next(size_t max_bytes);

  // Whether part of a file has come, not all.
  bool has_rest() const { return !pending_.empty(); }

 private:
  std::string pending_;
  size_t position_ = 0;      // as far as it has been read
  bool is_in_scan_ = false;  // in coded data, not among the segments before it
};

}  // namespace candor
