// SPDX-License-Identifier: Apache-2.0
//
// One row of a depthwise 3x3 convolution. Included once per instruction set.

#if defined(CANDOR_DEPTHWISE_ROW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CANDOR_DEPTHWISE_ROW_INL_H_
#undef CANDOR_DEPTHWISE_ROW_INL_H_
#else
#define CANDOR_DEPTHWISE_ROW_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "core/kernels/channel_pair-inl.h"
#include "core/kernels/window_taps.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace candor {
namespace HWY_NAMESPACE {

template <class In, class Out>
struct DepthwiseRow {
  WindowRows<In> input;
  Out* output;  // floats of In lie in the lanes that Out gives their channels
  ptrdiff_t output_stride;
  int channels;
  const float* weights;  // [9, weight_stride], the first `channels` of each
  ptrdiff_t weight_stride;
  const float* bias;  // or null
  bool has_relu;
};

template <class In, class Out>
HWY_INLINE void ConvolveOne(const DepthwiseRow<In, Out>& row, const WindowTaps<In, const float>& taps, int p,
                            Out* output, size_t c) {
  float sum = row.bias == nullptr ? 0.0F : row.bias[c];
  for (int t = 0; t < taps.count; ++t) {
    sum += LoadOne(taps.taps[t].input + p * row.input.pixel_stride + c) * taps.taps[t].values[c];
  }
  StoreOne(row.has_relu && sum < 0 ? 0.0F : sum, output + p * row.output_stride + c);
}

#if HWY_TARGET != HWY_SCALAR

// As many whole pairs as there are from channel c on; returns the first channel left.
template <int kPixels, class D, class In, class Out>
HWY_INLINE size_t ConvolvePairs(D d, const DepthwiseRow<In, Out>& row, const WindowTaps<In, const float>& taps,
                                Out* output, size_t c) {
  const size_t channels = static_cast<size_t>(row.channels);
  for (const size_t step = 2 * hn::Lanes(d); c + step <= channels; c += step) {
    const Pair<D> start = row.bias == nullptr ? ZeroPair(d) : LoadFloatsFor(d, row.bias + c, output);
    Pair<D> sums[kPixels];
    for (int p = 0; p < kPixels; ++p) sums[p] = start;
    for (int t = 0; t < taps.count; ++t) {
      const Pair<D> weight = LoadFloatsFor(d, taps.taps[t].values + c, output);
      const In* const input = taps.taps[t].input + c;
      for (int p = 0; p < kPixels; ++p) {
        sums[p] = MulAddPair(LoadPair(d, input + p * row.input.pixel_stride), weight, sums[p]);
      }
    }
    for (int p = 0; p < kPixels; ++p) {
      StorePair(d, row.has_relu ? ReluPair(d, sums[p]) : sums[p], output + p * row.output_stride + c);
    }
  }
  return c;
}

#endif  // HWY_TARGET != HWY_SCALAR

// All channels of kPixels neighbours: full vectors, then narrower ones for the rest.
template <int kPixels, class In, class Out>
HWY_INLINE void ConvolvePixels(const DepthwiseRow<In, Out>& row, const WindowTaps<In, const float>& taps, Out* output) {
  size_t c = 0;
#if HWY_TARGET != HWY_SCALAR
  c = ConvolvePairs<kPixels>(hn::ScalableTag<float>(), row, taps, output, c);
  c = ConvolvePairs<kPixels>(hn::CappedTag<float, 8>(), row, taps, output, c);
  c = ConvolvePairs<kPixels>(hn::CappedTag<float, 4>(), row, taps, output, c);
  c = ConvolvePairs<kPixels>(hn::CappedTag<float, 1>(), row, taps, output, c);
#endif
  for (; c < static_cast<size_t>(row.channels); ++c) {
    for (int p = 0; p < kPixels; ++p) ConvolveOne(row, taps, p, output, c);
  }
}

// With dilation pixel by pixel: each tap reads one run of memory then, which is worth more than the weights that
// neighbours could share (up to 1.6 times on maps of 8 and 16 MB). Without it neighbours also share what they read.
template <class In, class Out>
HWY_INLINE void ConvolveRow(const DepthwiseRow<In, Out>& row) {
  const WindowRuns runs(row.input.width, row.input.dilation);
  for (int i = 0; i < 3; ++i) {
    WindowTaps<In, const float> taps(row.input, runs.ends[i], runs.ends[i + 1], row.weights, row.weight_stride);
    int x = runs.ends[i];
    if (row.input.dilation == 1) {
      for (; x + 4 <= runs.ends[i + 1]; x += 4) {
        ConvolvePixels<4>(row, taps, row.output + x * row.output_stride);
        taps.Advance(4 * row.input.pixel_stride);
      }
    }
    for (; x < runs.ends[i + 1]; ++x) {
      ConvolvePixels<1>(row, taps, row.output + x * row.output_stride);
      taps.Advance(row.input.pixel_stride);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace candor
HWY_AFTER_NAMESPACE();

#endif  // CANDOR_DEPTHWISE_ROW_INL_H_
