// SPDX-License-Identifier: Apache-2.0
//
// Resizing for training, equal to PyTorch's interpolate. In integers only, so that every machine gives the same
// pixels, and able to make any part of the result without the rest.
#pragma once

#include "core/image/image.h"

namespace candor {

// A part of a picture, in its pixels.
struct PixelWindow {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

// interpolate(mode="bilinear", align_corners=False, antialias=False), rounded to 8 bits; the weights are rounded to
// 1/4096, which moves a value by at most 1/16. Thread-safe, as all here. A side below 1 gives an empty picture.
Image ResizeBilinear(const Image& image, int width, int height);
// The part `window` (within the result) of the picture resized to width x height.
Image ResizeBilinear(const Image& image, int width, int height, const PixelWindow& window);

// interpolate(mode="nearest"): the source of column x is floor(x * source width / width).
ByteMap ResizeNearest(const ByteMap& map, int width, int height);
ByteMap ResizeNearest(const ByteMap& map, int width, int height, const PixelWindow& window);

}  // namespace candor
