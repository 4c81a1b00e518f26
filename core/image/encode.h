// SPDX-License-Identifier: Apache-2.0
//
// Pictures and maps to file bytes. All functions are thread-safe and expect values.size() to equal width * height; a
// picture that breaks this, has no pixels or (JPEG) a side over 65500 becomes an empty string.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/image/image.h"

namespace candor {

// 8-bit greyscale PNG, e.g. of class indices.
std::string EncodeGreyPng(const ByteMap& map);
// 16-bit greyscale PNG; value = u / range_max * 65535, rounded, clamped to [0, 65535].
std::string EncodeUncertaintyPng(const FloatMap& map, float range_max);
// 8-bit RGB PNG.
std::string EncodeRgbPng(const Image& image);
// JPEG, 4:2:0; `quality` 1 to 100.
std::string EncodeJpeg(const Image& image, int quality);

// NumPy's .npy, version 1.0: float32, shape [height, width], C order.
std::string EncodeNpy(const FloatMap& map);
// The inverse of EncodeNpy; InvalidArgument for anything but a little-endian float32 array of rank 2 in C order.
absl::StatusOr<FloatMap> DecodeNpy(absl::string_view bytes);

}  // namespace candor
