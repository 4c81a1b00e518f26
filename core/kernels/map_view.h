// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace candor {

// An NHWC map of one picture, or some channels of a wider one: channel c of pixel (y, x) is
// data[y * row_stride + x * pixel_stride + c]. T is float, or uint16_t for the bits of a bfloat16; const to read.
template <class T>
struct MapView {
  T* data = nullptr;
  ptrdiff_t pixel_stride = 0;  // elements, at least the number of channels
  ptrdiff_t row_stride = 0;    // elements
  T* Row(ptrdiff_t y) const { return data + y * row_stride; }
};

struct MapSize {
  int height = 0;
  int width = 0;
  int channels = 0;
};

}  // namespace candor
