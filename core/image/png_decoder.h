// SPDX-License-Identifier: Apache-2.0
//
// PNG by libpng, for decode.cc.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/image/decode.h"

namespace candor {

// kRgb: three samples a pixel, whatever the file has. kIndices: one, the palette index or grey value as stored; 16-bit,
// RGB and alpha files are refused. kWideIndices: the same, but 16-bit files are read too, two bytes a pixel.
enum class PngSamples { kRgb, kIndices, kWideIndices };

struct PngPicture {
  int width = 0;
  int height = 0;
  int pixel_bytes = 0;           // 3, 1, or 2 (a 16-bit index, big-endian)
  std::vector<uint8_t> samples;  // [height][width][pixel_bytes], as stored: not turned
  int exif_orientation = 1;
};

// InvalidArgument: damaged (a bad checksum anywhere, a missing end), or over the limits. Trailing bytes are ignored; of
// an animated PNG the default picture is read. Thread-safe.
absl::StatusOr<PngPicture> DecodePng(absl::string_view bytes, PngSamples samples, const DecodeLimits& limits);

}  // namespace candor
