// SPDX-License-Identifier: Apache-2.0
//
// The one rule on how large a picture may be.
#include "core/image/pixel_limit.h"

#include "absl/strings/str_cat.h"

namespace candor {

absl::Status CheckPixelCount(absl::string_view name, int64_t width, int64_t height, const DecodeLimits& limits) {
  if (width < 1 || height < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": ", width, " x ", height, " pixels, must be at least 1 x 1"));
  }
  if (width > limits.max_pixels / height) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": ", width, " x ", height, " pixels, more than the limit of ", limits.max_pixels));
  }
  return absl::OkStatus();
}

}  // namespace candor
