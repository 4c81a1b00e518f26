// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/depthwise_gradient.h"

#include <algorithm>
#include <vector>

#include "core/kernels/window_taps.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/depthwise_gradient.cc"  // this file, once per instruction set
#include "hwy/foreach_target.h"
// After foreach_target: compiled once per instruction set.
#include "core/kernels/channel_pair-inl.h"

HWY_BEFORE_NAMESPACE();
namespace candor {
namespace HWY_NAMESPACE {
namespace {

// For whole vectors of channels from c on; returns the first channel left.
template <class D, class T>
HWY_INLINE int AddVectors(D d, const T* gradient, const WindowTaps<T, float>& taps, int channels, int c) {
  const int lanes = static_cast<int>(hn::Lanes(d));
  for (; c + lanes <= channels; c += lanes) {
    const auto factor = LoadInOrder(d, gradient + c);
    for (int t = 0; t < taps.count; ++t) {
      float* const sum = taps.taps[t].values + c;
      hn::StoreU(hn::MulAdd(LoadInOrder(d, taps.taps[t].input + c), factor, hn::LoadU(d, sum)), d, sum);
    }
  }
  return c;
}

// Adds a pixel's products to the sums of its taps.
template <class T>
HWY_INLINE void AddPixel(const T* gradient, const WindowTaps<T, float>& taps, int channels) {
  int c = AddVectors(hn::ScalableTag<float>(), gradient, taps, channels, 0);
  c = AddVectors(hn::CappedTag<float, 4>(), gradient, taps, channels, c);
  AddVectors(hn::CappedTag<float, 1>(), gradient, taps, channels, c);
}

// `sums` is [9, channels].
template <class T>
void AddRow(const WindowRows<T>& window, const T* gradient, ptrdiff_t gradient_stride, int channels, float* sums) {
  const WindowRuns runs(window.width, window.dilation);
  for (int i = 0; i < 3; ++i) {
    if (runs.ends[i] == runs.ends[i + 1]) continue;
    WindowTaps<T, float> taps(window, runs.ends[i], runs.ends[i + 1], sums, channels);
    for (int x = runs.ends[i]; x < runs.ends[i + 1]; ++x) {
      AddPixel(gradient + x * gradient_stride, taps, channels);
      taps.Advance(window.pixel_stride);
    }
  }
}

template <class T>
void AddPicture(const MapSize& size, const MapView<const T>& input, const MapView<const T>& gradient, int dilation,
                int begin, int end, float* total) {
  const int channels = end - begin;
  const MapView<const T> channels_of_input{input.data + begin, input.pixel_stride, input.row_stride};
  WindowRows<T> window;
  window.pixel_stride = input.pixel_stride;
  window.width = size.width;
  window.dilation = std::min(dilation, std::max(size.width, size.height));
  std::vector<float> sums(static_cast<size_t>(9) * channels);
  for (int y = 0; y < size.height; ++y) {
    window.MoveTo(channels_of_input, size.height, y);
    std::fill(sums.begin(), sums.end(), 0.0F);
    AddRow(window, gradient.Row(y) + begin, gradient.pixel_stride, channels, sums.data());
    for (int k = 0; k < 9; ++k) {
      float* const to = total + static_cast<ptrdiff_t>(k) * size.channels + begin;
      for (int c = 0; c < channels; ++c) to[c] += sums[static_cast<size_t>(k) * channels + c];
    }
  }
}

}  // namespace

void AddFloatGradient(const MapSize& size, const MapView<const float>& input, const MapView<const float>& gradient,
                      int dilation, int begin, int end, float* total) {
  AddPicture(size, input, gradient, dilation, begin, end, total);
}

void AddBfloatGradient(const MapSize& size, const MapView<const uint16_t>& input,
                       const MapView<const uint16_t>& gradient, int dilation, int begin, int end, float* total) {
  AddPicture(size, input, gradient, dilation, begin, end, total);
}

}  // namespace HWY_NAMESPACE
}  // namespace candor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace candor {

HWY_EXPORT(AddFloatGradient);
HWY_EXPORT(AddBfloatGradient);

void AddDepthwiseWeightGradient(const MapSize& size, const MapView<const float>& input,
                                const MapView<const float>& output_gradient, int dilation, int begin, int end,
                                float* weight_gradient) {
  HWY_DYNAMIC_DISPATCH(AddFloatGradient)(size, input, output_gradient, dilation, begin, end, weight_gradient);
}

void AddDepthwiseWeightGradient(const MapSize& size, const MapView<const uint16_t>& input,
                                const MapView<const uint16_t>& output_gradient, int dilation, int begin, int end,
                                float* weight_gradient) {
  HWY_DYNAMIC_DISPATCH(AddBfloatGradient)(size, input, output_gradient, dilation, begin, end, weight_gradient);
}

}  // namespace candor
#endif  // HWY_ONCE
