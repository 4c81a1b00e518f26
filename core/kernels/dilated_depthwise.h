// SPDX-License-Identifier: Apache-2.0
//
// Depthwise 3x3 convolution with any dilation. oneDNN's fast depthwise kernels refuse dilation and leave it to a GEMM
// that takes tens of times as long.
#pragma once

#include <cstdint>

#include "core/kernels/map_view.h"

namespace candor {

struct DepthwiseFilter {
  const float* weights = nullptr;  // [9, channels], the window row by row
  const float* bias = nullptr;     // [channels], or null for none
  bool has_relu = false;
};

// Rows [begin, end) of the cross-correlation of `input` with `filter`: stride 1, zero padding `dilation`, products and
// sums in fp32, taps in the window's order, each result rounded once, to nearest even. A NaN passes the ReLU.
//
//   input, output  size.height x size.width x size.channels, fp32 or both bfloat16; they must not overlap
//   dilation       >= 1, may exceed the map
//   begin, end     0 <= begin <= end <= size.height; the values of a row do not depend on them
//
// Thread-safe: calls that write different rows may run at the same time.
void DilatedDepthwise(const MapSize& size, const MapView<const float>& input, const DepthwiseFilter& filter,
                      int dilation, int begin, int end, const MapView<float>& output);
void DilatedDepthwise(const MapSize& size, const MapView<const uint16_t>& input, const DepthwiseFilter& filter,
                      int dilation, int begin, int end, const MapView<uint16_t>& output);

}  // namespace candor
