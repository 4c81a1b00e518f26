// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/image/decode.h"

namespace candor {

// InvalidArgument unless both sides are at least 1 and width * height is within the limit; to be asked before any
// memory is taken. `name` begins the message: "JPEG: 65500 x 16000 pixels, more than the limit of 16777216".
absl::Status CheckPixelCount(absl::string_view name, int64_t width, int64_t height, const DecodeLimits& limits);

}  // namespace candor
