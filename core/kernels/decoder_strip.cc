// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/decoder_strip.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/decoder_strip.cc"  // this file, once per instruction set
#include "hwy/foreach_target.h"
// After foreach_target: compiled once per instruction set.
#include "core/kernels/depthwise_row-inl.h"

#ifndef CANDOR_DECODER_STRIP_ONCE_
#define CANDOR_DECODER_STRIP_ONCE_
namespace candor {

// Channels of the context that are upsampled at a time: three rows of 1024 of them are 1.5 MB, 256 of a 1024 wide
// picture 384 KB. A multiple of every vector's lanes.
constexpr int kStripChannels = 128;

}  // namespace candor
#endif  // CANDOR_DECODER_STRIP_ONCE_

HWY_BEFORE_NAMESPACE();
namespace candor {
namespace HWY_NAMESPACE {
namespace {

// Where an output position lies between two of `low` inputs, in float as in PyTorch, with align_corners.
struct Between {
  Between(int low, int position) {
    const float source = static_cast<float>(low - 1) / static_cast<float>(4 * low - 1) * static_cast<float>(position);
    first = std::min(static_cast<int>(source), low - 1);
    second = std::min(first + 1, low - 1);
    fraction = source - static_cast<float>(first);
  }
  int first, second;
  float fraction;
};

#if HWY_TARGET != HWY_SCALAR

template <class D, class T>
HWY_INLINE int BlendPairs(D d, const T* upper, const T* lower, float fraction, int channels, int c, float* to) {
  const auto weight = hn::Set(d, fraction);
  for (const int step = 2 * static_cast<int>(hn::Lanes(d)); c + step <= channels; c += step) {
    const Pair<D> a = LoadPair(d, upper + c);
    const Pair<D> b = LoadPair(d, lower + c);
    StorePair(d, {hn::MulAdd(hn::Sub(b.a, a.a), weight, a.a), hn::MulAdd(hn::Sub(b.b, a.b), weight, a.b)}, to + c);
  }
  return c;
}

#endif  // HWY_TARGET != HWY_SCALAR

// One pixel between two rows of the context, as floats in the lanes that T gives its channels.
template <class T>
HWY_INLINE void Blend(const T* upper, const T* lower, float fraction, int channels, float* to) {
  int c = 0;
#if HWY_TARGET != HWY_SCALAR
  c = BlendPairs(hn::ScalableTag<float>(), upper, lower, fraction, channels, c, to);
  c = BlendPairs(hn::CappedTag<float, 8>(), upper, lower, fraction, channels, c, to);
  c = BlendPairs(hn::CappedTag<float, 4>(), upper, lower, fraction, channels, c, to);
  c = BlendPairs(hn::CappedTag<float, 1>(), upper, lower, fraction, channels, c, to);
#endif
  for (; c < channels; ++c) to[c] = LoadOne(upper + c) + fraction * (LoadOne(lower + c) - LoadOne(upper + c));
}

// Row y of the upsampled context, `channels` channels from `first` on, to pixels of kStripChannels floats. `between`
// holds a row of the context's width meanwhile.
template <class T>
void UpsampleRow(const DecoderStripMaps<T>& maps, int y, int first, int channels, float* between, float* to) {
  const Between rows(maps.context_size.height, y);
  for (int x = 0; x < maps.context_size.width; ++x) {
    const ptrdiff_t pixel = x * maps.context.pixel_stride + first;
    Blend(maps.context.Row(rows.first) + pixel, maps.context.Row(rows.second) + pixel, rows.fraction, channels,
          between + x * kStripChannels);
  }
  const hn::ScalableTag<float> d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  for (int x = 0; x < 4 * maps.context_size.width; ++x) {
    const Between columns(maps.context_size.width, x);
    const float* left = between + columns.first * kStripChannels;
    const float* right = between + columns.second * kStripChannels;
    const auto weight = hn::Set(d, columns.fraction);
    for (int c = 0; c < channels; c += lanes) {
      const auto a = hn::LoadU(d, left + c);
      hn::StoreU(hn::MulAdd(hn::Sub(hn::LoadU(d, right + c), a), weight, a), d, to + x * kStripChannels + c);
    }
  }
}

template <class In, class T>
DepthwiseRow<In, T> RowOf(const DecoderStripMaps<T>& maps, const DepthwiseFilter& filter, int first, int channels) {
  DepthwiseRow<In, T> row;
  row.input.width = 4 * maps.context_size.width;
  row.input.dilation = 1;
  row.output_stride = maps.output.pixel_stride;
  row.channels = channels;
  row.weights = filter.weights + first;
  row.weight_stride = maps.context_size.channels + maps.low_level_channels;
  row.bias = filter.bias == nullptr ? nullptr : filter.bias + first;
  row.has_relu = filter.has_relu;
  return row;
}

template <class T>
void ConvolveContext(const DecoderStripMaps<T>& maps, const DepthwiseFilter& filter, int first, int begin, int end,
                     float* scratch) {
  const int height = 4 * maps.context_size.height;
  const int channels = std::min(kStripChannels, maps.context_size.channels - first);
  DepthwiseRow<float, T> row = RowOf<float>(maps, filter, first, channels);
  row.input.pixel_stride = kStripChannels;
  const ptrdiff_t row_floats = static_cast<ptrdiff_t>(row.input.width) * kStripChannels;
  float* const between = scratch + 3 * row_floats;
  const auto slot = [=](int y) { return scratch + (y % 3) * row_floats; };
  for (int y = std::max(0, begin - 1); y <= begin; ++y) UpsampleRow(maps, y, first, channels, between, slot(y));
  for (int y = begin; y < end; ++y) {
    if (y + 1 < height) UpsampleRow(maps, y + 1, first, channels, between, slot(y + 1));
    row.input.rows[0] = y == 0 ? nullptr : slot(y - 1);
    row.input.rows[1] = slot(y);
    row.input.rows[2] = y + 1 == height ? nullptr : slot(y + 1);
    row.output = maps.output.Row(y) + first;
    ConvolveRow(row);
  }
}

template <class T>
void ConvolveLowLevel(const DecoderStripMaps<T>& maps, const DepthwiseFilter& filter, int begin, int end) {
  const int height = 4 * maps.context_size.height;
  const int first = maps.context_size.channels;
  DepthwiseRow<T, T> row = RowOf<T>(maps, filter, first, maps.low_level_channels);
  row.input.pixel_stride = maps.low_level.pixel_stride;
  for (int y = begin; y < end; ++y) {
    row.input.MoveTo(maps.low_level, height, y);
    row.output = maps.output.Row(y) + first;
    ConvolveRow(row);
  }
}

template <class T>
void Strip(const DecoderStripMaps<T>& maps, const DepthwiseFilter& filter, int begin, int end, float* scratch) {
  if (begin >= end) return;
  for (int first = 0; first < maps.context_size.channels; first += kStripChannels) {
    ConvolveContext(maps, filter, first, begin, end, scratch);
  }
  ConvolveLowLevel(maps, filter, begin, end);
}

}  // namespace

void StripOfFloats(const DecoderStripMaps<float>& maps, const DepthwiseFilter& filter, int begin, int end,
                   float* scratch) {
  Strip(maps, filter, begin, end, scratch);
}

void StripOfBfloats(const DecoderStripMaps<uint16_t>& maps, const DepthwiseFilter& filter, int begin, int end,
                    float* scratch) {
  Strip(maps, filter, begin, end, scratch);
}

}  // namespace HWY_NAMESPACE
}  // namespace candor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace candor {

HWY_EXPORT(StripOfFloats);
HWY_EXPORT(StripOfBfloats);

size_t DecoderStripScratch(int context_width) {
  return static_cast<size_t>(3 * 4 + 1) * context_width * kStripChannels;
}

void DecoderStrip(const DecoderStripMaps<float>& maps, const DepthwiseFilter& filter, int begin, int end,
                  float* scratch) {
  HWY_DYNAMIC_DISPATCH(StripOfFloats)(maps, filter, begin, end, scratch);
}

void DecoderStrip(const DecoderStripMaps<uint16_t>& maps, const DepthwiseFilter& filter, int begin, int end,
                  float* scratch) {
  HWY_DYNAMIC_DISPATCH(StripOfBfloats)(maps, filter, begin, end, scratch);
}

}  // namespace candor
#endif  // HWY_ONCE
