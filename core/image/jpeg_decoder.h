// SPDX-License-Identifier: Apache-2.0
//
// JPEG by libjpeg-turbo, for decode.cc.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/image/decode.h"
#include "core/image/image.h"

namespace candor {

struct JpegPicture {
  Image image;  // as stored: not turned
  int exif_orientation = 1;
};

// InvalidArgument: damaged (every warning of libjpeg counts), more than 100 scans, no data for a colour component, an
// unsupported coding, or over the limits. Trailing bytes are ignored. Thread-safe.
absl::StatusOr<JpegPicture> DecodeJpeg(absl::string_view bytes, const DecodeLimits& limits);

}  // namespace candor
