// SPDX-License-Identifier: Apache-2.0
//
// What the calls of a load carry.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "core/image/image.h"

namespace candor {

// Sent as a file's bytes or, if `pixels` has any, as raw RGB.
struct LoadPicture {
  std::string name;
  std::string file_bytes;
  Image pixels;
};

// A picture of smooth shades, edges and noise, always the same for a size: neither trivial to compress nor to segment.
Image GeneratedImage(int width, int height);

// The picture as raw pixels instead of a file. InvalidArgument: as DecodeImage.
absl::StatusOr<LoadPicture> AsRaw(const LoadPicture& picture);

}  // namespace candor
