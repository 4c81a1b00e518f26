// SPDX-License-Identifier: Apache-2.0
//
// NumPy's .npy files of float32 arrays of any rank.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace candor {

struct NpyArray {
  std::vector<int64_t> shape;
  std::vector<float> values;  // C order
};

// Version 1.0, little-endian float32, C order. `values` has the product of `shape` floats.
std::string EncodeNpyArray(const std::vector<int64_t>& shape, const float* values);

// The inverse; versions 1 to 3. InvalidArgument for anything but a little-endian float32 array in C order with exactly
// the values of its shape.
absl::StatusOr<NpyArray> DecodeNpyArray(absl::string_view bytes);

}  // namespace candor
