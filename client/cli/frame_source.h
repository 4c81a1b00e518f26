// SPDX-License-Identifier: Apache-2.0
//
// The pictures that `candor stream` plays.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/bench/camera_player.h"

namespace candor {

// Thread-compatible.
class FrameSource {
 public:
  virtual ~FrameSource() = default;

  // The next picture, or null at the end; after that from the start. DataLoss: cannot be read.
  virtual absl::StatusOr<PicturePointer> Next() = 0;
  // Names of all pictures to come, as far as known.
  virtual std::vector<std::string> names() const { return {}; }
};

// A folder's pictures by name (see IsPictureName), a single .jpg, .jpeg or .png file, or, of anything else, what ffmpeg
// makes of it at `rate` frames a second. DataLoss: cannot be read, has no pictures, or is a video without an `ffmpeg`
// in PATH.
absl::StatusOr<std::unique_ptr<FrameSource>> OpenFrameSource(const std::string& path, double rate);

}  // namespace candor
