// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/image/decode.h"
#include "core/image/picture.h"

namespace candor {

enum class PixelFormat { kRgb8, kBgr8, kGrey8, kYuyv, kNv12 };

// Pixels as a camera gives them, rows from top to bottom. Borrows `data`.
struct RawImage {
  PixelFormat format = PixelFormat::kRgb8;
  int width = 0;
  int height = 0;
  int stride = 0;  // bytes a row; 0: no gap between rows
  absl::string_view data;
};

// As RGB; RGB8 without gaps is borrowed, all else is converted. YUYV and NV12 are BT.601, limited range, as cameras
// deliver. InvalidArgument, the message beginning with the field's name ("width: ...", "height", "stride", "data"): a
// size below 1, odd where the format needs even, more than `limits.max_pixels`, a stride shorter than a row, or another
// number of bytes than the shape needs (the last row may end after its pixels). Products are computed in 64 bits.
// Thread-safe.
absl::StatusOr<Picture> OpenRawImage(const RawImage& raw, const DecodeLimits& limits);
// The same of bytes that lie in pieces, one after another, in place of `raw.data`.
absl::StatusOr<Picture> OpenRawImage(const RawImage& raw, absl::Span<const absl::string_view> pieces,
                                     const DecodeLimits& limits);

}  // namespace candor
