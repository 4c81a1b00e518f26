// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/kernels/map_view.h"

namespace candor {

// Adds one picture's gradient of the weights of a depthwise 3x3 convolution (core/kernels/dilated_depthwise.h) for the
// channels [begin, end): for each tap the sum over pixels of input times gradient of the output.
//
//   input, output_gradient  size.height x size.width x size.channels, fp32 or both bfloat16
//   weight_gradient         [9, size.channels] fp32, the window row by row
//   dilation                >= 1, may exceed the map
//   begin, end              0 <= begin <= end <= size.channels
//
// Products and sums are fp32: first along a row, then over the rows, top to bottom. A channel's sum does not depend on
// the other channels if begin is a multiple of 64. Thread-safe: calls for different channels may run at the same time.
// The gradient of the input is DilatedDepthwise of that of the output with the window turned by 180 degrees.
void AddDepthwiseWeightGradient(const MapSize& size, const MapView<const float>& input,
                                const MapView<const float>& output_gradient, int dilation, int begin, int end,
                                float* weight_gradient);
void AddDepthwiseWeightGradient(const MapSize& size, const MapView<const uint16_t>& input,
                                const MapView<const uint16_t>& output_gradient, int dilation, int begin, int end,
                                float* weight_gradient);

}  // namespace candor
