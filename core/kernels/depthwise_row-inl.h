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

template <class T>
struct DepthwiseRow {
  const T* rows[3];  // input rows `dilation` above, at and below the output row; null outside the map
  ptrdiff_t input_stride;
  T* output;
  ptrdiff_t output_stride;
  int width, channels, dilation;
  const float* weights;  // [9, weight_stride], the first `channels` of each
  ptrdiff_t weight_stride;
  const float* bias;  // or null
  bool has_relu;
};

// The taps that lie in the map for a run of pixels.
template <class T>
struct Taps {
  struct Tap {
    const T* input;  // of output pixel 0
    const float* weights;
  };
  Tap taps[9];
  int count = 0;
};

template <class T>
HWY_INLINE void ConvolveOne(const DepthwiseRow<T>& row, const Taps<T>& taps, int x, size_t c) {
  float sum = row.bias == nullptr ? 0.0F : row.bias[c];
  for (int t = 0; t < taps.count; ++t) {
    sum += LoadOne(taps.taps[t].input + x * row.input_stride + c) * taps.taps[t].weights[c];
  }
  StoreOne(row.has_relu && sum < 0 ? 0.0F : sum, row.output + x * row.output_stride + c);
}

#if HWY_TARGET != HWY_SCALAR

template <int kPixels, class D, class T>
HWY_INLINE void ConvolvePair(D d, const DepthwiseRow<T>& row, const Taps<T>& taps, int x, size_t c) {
  const Pair<D> start = row.bias == nullptr ? ZeroPair(d) : LoadFloatsFor(d, row.bias + c, row.output);
  Pair<D> sums[kPixels];
  for (int p = 0; p < kPixels; ++p) sums[p] = start;
  const ptrdiff_t offset = x * row.input_stride + static_cast<ptrdiff_t>(c);
  for (int t = 0; t < taps.count; ++t) {
    const Pair<D> weight = LoadFloatsFor(d, taps.taps[t].weights + c, row.output);
    const T* HWY_RESTRICT input = taps.taps[t].input + offset;
    for (int p = 0; p < kPixels; ++p) sums[p] = MulAddPair(LoadPair(d, input + p * row.input_stride), weight, sums[p]);
  }
  T* HWY_RESTRICT output = row.output + x * row.output_stride + static_cast<ptrdiff_t>(c);
  for (int p = 0; p < kPixels; ++p) {
    StorePair(d, row.has_relu ? ReluPair(d, sums[p]) : sums[p], output + p * row.output_stride);
  }
}

// As many whole pairs as there are from channel c on; returns the first channel left.
template <int kPixels, class D, class T>
HWY_INLINE size_t ConvolvePairs(D d, const DepthwiseRow<T>& row, const Taps<T>& taps, int x, size_t c) {
  const size_t channels = static_cast<size_t>(row.channels);
  for (const size_t step = 2 * hn::Lanes(d); c + step <= channels; c += step) {
    ConvolvePair<kPixels>(d, row, taps, x, c);
  }
  return c;
}

#endif  // HWY_TARGET != HWY_SCALAR

// kPixels neighbouring pixels, all channels: full vectors, then narrower ones for the rest.
template <int kPixels, class T>
HWY_INLINE void ConvolvePixels(const DepthwiseRow<T>& row, const Taps<T>& taps, int x) {
  size_t c = 0;
#if HWY_TARGET != HWY_SCALAR
  c = ConvolvePairs<kPixels>(hn::ScalableTag<float>(), row, taps, x, c);
  c = ConvolvePairs<kPixels>(hn::CappedTag<float, 4>(), row, taps, x, c);
  c = ConvolvePairs<kPixels>(hn::CappedTag<float, 1>(), row, taps, x, c);
#endif
  for (; c < static_cast<size_t>(row.channels); ++c) {
    for (int p = 0; p < kPixels; ++p) ConvolveOne(row, taps, x + p, c);
  }
}

// Pixels [begin, end), whose taps all lie alike in or outside the map.
template <class T>
HWY_INLINE void ConvolveRun(const DepthwiseRow<T>& row, int begin, int end) {
  if (begin >= end) return;
  Taps<T> taps;
  for (int ky = 0; ky < 3; ++ky) {
    if (row.rows[ky] == nullptr) continue;
    for (int kx = 0; kx < 3; ++kx) {
      const int shift = (kx - 1) * row.dilation;
      if (begin + shift < 0 || end + shift > row.width) continue;
      taps.taps[taps.count++] = {row.rows[ky] + shift * row.input_stride,
                                 row.weights + (3 * ky + kx) * row.weight_stride};
    }
  }
  // Four pixels share each load of weights, and their sums are enough to hide the latency of a product.
  int x = begin;
  for (; x + 4 <= end; x += 4) ConvolvePixels<4>(row, taps, x);
  for (; x < end; ++x) ConvolvePixels<1>(row, taps, x);
}

template <class T>
HWY_INLINE void ConvolveRow(const DepthwiseRow<T>& row) {
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
