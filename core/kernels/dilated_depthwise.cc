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

// Bytes of the map that a block of channels may take: all taps of a block should come from the second-level cache.
constexpr size_t kBlockBytes = 512 << 10;

int ChannelBlock(const MapSize& size, int rows, size_t channel_bytes) {
  const size_t bytes = channel_bytes * std::max(1, rows) * std::max(1, size.width);
  return std::max(64, static_cast<int>(kBlockBytes / bytes) / 64 * 64);
}

template <class T>
void ConvolveRows(const MapSize& size, const MapView<const T>& input, const DepthwiseFilter& filter, int dilation,
                  int begin, int end, const MapView<T>& output) {
  DepthwiseRow<T> row;
  row.input_stride = input.pixel_stride;
  row.output_stride = output.pixel_stride;
  row.width = size.width;
  row.dilation = std::min(dilation, std::max(size.width, size.height));
  row.weight_stride = size.channels;
  row.has_relu = filter.has_relu;
  const int rows_read = std::min(size.height, end - begin + 2 * row.dilation);
  const int block = ChannelBlock(size, rows_read, sizeof(T));
  for (int c = 0; c < size.channels; c += block) {
    row.channels = std::min(block, size.channels - c);
    row.weights = filter.weights + c;
    row.bias = filter.bias == nullptr ? nullptr : filter.bias + c;
    for (int y = begin; y < end; ++y) {
      for (int ky = 0; ky < 3; ++ky) {
        const int source = y + (ky - 1) * row.dilation;
        row.rows[ky] = source < 0 || source >= size.height ? nullptr : input.Row(source) + c;
      }
      row.output = output.Row(y) + c;
      ConvolveRow(row);
    }
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
