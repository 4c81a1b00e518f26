// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/strings/string_view.h"

namespace candor {

// The orientation (tag 0x0112 of the first directory) in EXIF data, which begins with its TIFF header "II" or "MM": 1
// to 8 as TIFF 6.0 numbers them, 1 (upright) where it is absent, out of range, or the data is damaged. Safe on any
// bytes.
int ExifOrientation(absl::string_view tiff);

}  // namespace candor
