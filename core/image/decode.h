// SPDX-License-Identifier: Apache-2.0
//
// JPEG and PNG to pixels, safe against any bytes: the size is read from the header and checked before memory is taken,
// and a decoder's warning (a truncated or damaged file) is an error, never a half-grey picture.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/image/image.h"

namespace candor {

struct DecodeLimits {
  int64_t max_pixels = int64_t{1} << 24;  // width times height
};

// Decodes a JPEG (grey, YCbCr, RGB, CMYK or YCCK; baseline or progressive) or PNG (every depth and colour type; 16-bit
// is reduced to 8, alpha dropped, palettes expanded) to upright RGB: the EXIF orientation (JPEG APP1, PNG eXIf) is
// applied. InvalidArgument: empty, not JPEG or PNG, damaged, or over the limits; the message says which, with sizes.
// Thread-safe.
absl::StatusOr<Image> DecodeImage(absl::string_view bytes, const DecodeLimits& limits);

// Decodes a PNG of class indices: 8-bit grey or palette (the index itself is read, not its colour), depths 1 to 8.
// InvalidArgument otherwise, and as above. Thread-safe.
absl::StatusOr<ByteMap> DecodeLabelPng(absl::string_view bytes, const DecodeLimits& limits);

// Decodes a PNG of indices up to 65535: like DecodeLabelPng, and 16-bit grey too. Thread-safe.
absl::StatusOr<IndexMap> DecodeIndexPng(absl::string_view bytes, const DecodeLimits& limits);

}  // namespace candor
