// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/dilated_depthwise.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/dilated_depthwise.cc"  // this file, once per instruction set
#include "hwy/foreach_target.h"
// After foreach_target: compiled once per instruction set.
#include "core/kernels/depthwise_row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace candor {
namespace HWY_NAMESPACE {
namespace {

template <class T>
void ConvolveRows(const MapSize& size, const MapView<const T>& input, const DepthwiseFilter& filter, int dilation,
                  int begin, int end, const MapView<T>& output) {
  DepthwiseRow<T, T> row;
  row.input.pixel_stride = input.pixel_stride;
  row.input.width = size.width;
  row.input.dilation = std::min(dilation, std::max(size.width, size.height));
  row.output_stride = output.pixel_stride;
  row.channels = size.channels;
  row.weights = filter.weights;
  row.weight_stride = size.channels;
  row.bias = filter.bias;
  row.has_relu = filter.has_relu;
  for (int y = begin; y < end; ++y) {
    row.input.MoveTo(input, size.height, y);
    row.output = output.Row(y);
    ConvolveRow(row);
  }
}

}  // namespace

void ConvolveFloats(const MapSize& size, const MapView<const float>& input, const DepthwiseFilter& filter, int dilation,
                    int begin, int end, const MapView<float>& output) {
  ConvolveRows(size, input, filter, dilation, begin, end, output);
}

void ConvolveBfloats(const MapSize& size, const MapView<const uint16_t>& input, const DepthwiseFilter& filter,
                     int dilation, int begin, int end, const MapView<uint16_t>& output) {
  ConvolveRows(size, input, filter, dilation, begin, end, output);
}

}  // namespace HWY_NAMESPACE
}  // namespace candor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace candor {

HWY_EXPORT(ConvolveFloats);
HWY_EXPORT(ConvolveBfloats);

void DilatedDepthwise(const MapSize& size, const MapView<const float>& input, const DepthwiseFilter& filter,
                      int dilation, int begin, int end, const MapView<float>& output) {
  HWY_DYNAMIC_DISPATCH(ConvolveFloats)(size, input, filter, dilation, begin, end, output);
}

void DilatedDepthwise(const MapSize& size, const MapView<const uint16_t>& input, const DepthwiseFilter& filter,
                      int dilation, int begin, int end, const MapView<uint16_t>& output) {
  HWY_DYNAMIC_DISPATCH(ConvolveBfloats)(size, input, filter, dilation, begin, end, output);
}

}  // namespace candor
#endif  // HWY_ONCE
