// SPDX-License-Identifier: Apache-2.0
//
// One row of a depthwise 3x3 convolution. Included once per instruction set.

#if defined(CANDOR_DEPTHWISE_ROW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CANDOR_DEPTHWISE_ROW_INL_H_
#undef CANDOR_DEPTHWISE_ROW_INL_H_
#else
#define CANDOR_DEPTHWISE_ROW_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/kernels/channel_pair-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace candor {
namespace HWY_NAMESPACE {

template <class In, class Out>
struct DepthwiseRow {
  const In* rows[3];  // input rows `dilation` above, at and below the output row; null outside the map
  ptrdiff_t input_stride;
  Out* output;  // floats of In lie in the lanes that Out gives their channels
  ptrdiff_t output_stride;
  int width, channels, dilation;
  const float* weights;  // [9, weight_stride], the first `channels` of each
  ptrdiff_t weight_stride;
  const float* bias;  // or null
  bool has_relu;
};

// The taps of one pixel that lie in the map.
template <class In>
struct Taps {
  struct Tap {
    const In* input;
    const float* weights;
  };
  Tap taps[9];
  int count = 0;
};

template <class In, class Out>
HWY_INLINE void ConvolveOne(const DepthwiseRow<In, Out>& row, const Taps<In>& taps, Out* output, size_t c) {
  float sum = row.bias == nullptr ? 0.0F : row.bias[c];
  for (int t = 0; t < taps.count; ++t) sum += LoadOne(taps.taps[t].input + c) * taps.taps[t].weights[c];
  StoreOne(row.has_relu && sum < 0 ? 0.0F : sum, output + c);
}

#if HWY_TARGET != HWY_SCALAR

// As many whole pairs as there are from channel c on; returns the first channel left.
template <class D, class In, class Out>
HWY_INLINE size_t ConvolvePairs(D d, const DepthwiseRow<In, Out>& row, const Taps<In>& taps, Out* output, size_t c) {
  const size_t channels = static_cast<size_t>(row.channels);
  for (const size_t step = 2 * hn::Lanes(d); c + step <= channels; c += step) {
    Pair<D> sum = row.bias == nullptr ? ZeroPair(d) : LoadFloatsFor(d, row.bias + c, output);
    for (int t = 0; t < taps.count; ++t) {
      const Pair<D> weight = LoadFloatsFor(d, taps.taps[t].weights + c, output);
      sum = MulAddPair(LoadPair(d, taps.taps[t].input + c), weight, sum);
    }
    StorePair(d, row.has_relu ? ReluPair(d, sum) : sum, output + c);
  }
  return c;
}

#endif  // HWY_TARGET != HWY_SCALAR

// All channels of one pixel: full vectors, then narrower ones for the rest.
template <class In, class Out>
HWY_INLINE void ConvolvePixel(const DepthwiseRow<In, Out>& row, const Taps<In>& taps, Out* output) {
  size_t c = 0;
#if HWY_TARGET != HWY_SCALAR
  c = ConvolvePairs(hn::ScalableTag<float>(), row, taps, output, c);
  c = ConvolvePairs(hn::CappedTag<float, 4>(), row, taps, output, c);
  c = ConvolvePairs(hn::CappedTag<float, 1>(), row, taps, output, c);
#endif
  for (; c < static_cast<size_t>(row.channels); ++c) ConvolveOne(row, taps, output, c);
}

// Pixels [begin, end), whose taps all lie alike in or outside the map. Pixel by pixel: each tap reads one run of memory
// then, which is worth more than the weights that neighbours could share (up to 1.6 times on maps of 8 and 16 MB).
template <class In, class Out>
HWY_INLINE void ConvolveRun(const DepthwiseRow<In, Out>& row, int begin, int end) {
  if (begin >= end) return;
  Taps<In> taps;
  for (int ky = 0; ky < 3; ++ky) {
    if (row.rows[ky] == nullptr) continue;
    for (int kx = 0; kx < 3; ++kx) {
      const int shift = (kx - 1) * row.dilation;
      if (begin + shift < 0 || end + shift > row.width) continue;
      taps.taps[taps.count++] = {row.rows[ky] + (begin + shift) * row.input_stride,
                                 row.weights + (3 * ky + kx) * row.weight_stride};
    }
  }
  for (int x = begin; x < end; ++x) {
    ConvolvePixel(row, taps, row.output + x * row.output_stride);
    for (int t = 0; t < taps.count; ++t) taps.taps[t].input += row.input_stride;
  }
}

template <class In, class Out>
HWY_INLINE void ConvolveRow(const DepthwiseRow<In, Out>& row) {
  // Left neighbours begin at `dilation`, right ones end that far from the right edge.
  const int left = std::min(row.dilation, row.width);
  const int right = row.width - left;
  ConvolveRun(row, 0, std::min(left, right));
  ConvolveRun(row, std::min(left, right), std::max(left, right));
  ConvolveRun(row, std::max(left, right), row.width);
}

}  // namespace HWY_NAMESPACE
}  // namespace candor
HWY_AFTER_NAMESPACE();

#endif  // CANDOR_DEPTHWISE_ROW_INL_H_
