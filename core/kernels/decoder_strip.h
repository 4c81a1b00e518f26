// SPDX-License-Identifier: Apache-2.0
//
// What DeepLabv3+'s decoder does before its last pointwise convolution, some rows at a time: upsampling by 4,
// concatenation, depthwise 3x3. Neither the upsampled nor the concatenated map is ever whole in memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/kernels/dilated_depthwise.h"
#include "core/kernels/map_view.h"

namespace candor {

// T is float, or uint16_t for bfloat16.
template <class T>
struct DecoderStripMaps {
  MapSize context_size;        // the output has 4 x height and 4 x width
  int low_level_channels = 0;  // the output has these behind the context's
  MapView<const T> context;    // context_size
  MapView<const T> low_level;  // of the output's height and width
  MapView<T> output;           // overlaps no input
};

// Floats of scratch that a call of DecoderStrip needs for a context of this width: three upsampled rows of some
// channels.
size_t DecoderStripScratch(int context_width);

// Rows [begin, end) of the depthwise 3x3 convolution (stride 1, zero padding 1) of
// cat({UpsampleBy4(context), low_level}), the upsampling being bilinear with align_corners (core/nn/deeplab.h).
//
//   filter      of context_size.channels + low_level_channels channels
//   begin, end  0 <= begin <= end <= 4 * context_size.height; the values of a row do not depend on them
//   scratch     DecoderStripScratch(context_size.width) floats that no other call uses meanwhile
//
// Upsampled values, products and sums are fp32; each result is rounded once, to nearest even. Thread-safe: calls that
// write different rows may run at the same time.
void DecoderStrip(const DecoderStripMaps<float>& maps, const DepthwiseFilter& filter, int begin, int end,
                  float* scratch);
void DecoderStrip(const DecoderStripMaps<uint16_t>& maps, const DepthwiseFilter& filter, int begin, int end,
                  float* scratch);

}  // namespace candor
