// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/winograd.h"

#include <algorithm>
#include <array>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/winograd.cc"  // this file, once per instruction set
#include "hwy/foreach_target.h"
// After foreach_target: compiled once per instruction set.
#include "hwy/highway.h"

#ifndef CANDOR_WINOGRAD_TILE_PIXELS_
#define CANDOR_WINOGRAD_TILE_PIXELS_
namespace candor {

// Places of a tile's pixels in a map; null outside it.
template <class T, int kSide>
struct WinogradTilePixels {
  // `halo`: pixels before the first output.
  WinogradTilePixels(const MapSize& size, const MapView<T>& map, const WinogradTiles& tiles, int tile, int halo) {
    const int plain = tile / (tiles.rows * tiles.columns);  // which of the dilation^2 convolutions
    const int row = tile / tiles.columns % tiles.rows * kWinogradOutput - halo;
    const int column = tile % tiles.columns * kWinogradOutput - halo;
    for (int y = 0; y < kSide; ++y) {
      const int map_y = plain / tiles.dilation + (row + y) * tiles.dilation;
      for (int x = 0; x < kSide; ++x) {
        const int map_x = plain % tiles.dilation + (column + x) * tiles.dilation;
        const bool inside = map_y >= 0 && map_y < size.height && map_x >= 0 && map_x < size.width;
        at[y][x] = inside ? map.Row(map_y) + map_x * map.pixel_stride : nullptr;
        is_whole = is_whole && inside;
      }
    }
  }

  T* at[kSide][kSide];
  bool is_whole = true;
};

}  // namespace candor
#endif  // CANDOR_WINOGRAD_TILE_PIXELS_

HWY_BEFORE_NAMESPACE();
namespace candor {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, kWinogradChannels>;
using V = hn::Vec<D>;

// B^T d along one side.
HWY_INLINE void TransformInput(D d, const V* in, ptrdiff_t in_stride, V* out, ptrdiff_t out_stride) {
  const V four = hn::Set(d, 4.0F);
  const V five = hn::Set(d, 5.0F);
  const V two = hn::Set(d, 2.0F);
  const auto at = [&](int i) { return in[i * in_stride]; };
  const V even = hn::NegMulAdd(four, at(2), at(4));
  const V odd = hn::NegMulAdd(four, at(1), at(3));
  const V wide_even = hn::Sub(at(4), at(2));
  const V wide_odd = hn::Mul(two, hn::Sub(at(3), at(1)));
  out[0] = hn::MulAdd(four, at(0), hn::NegMulAdd(five, at(2), at(4)));
  out[1 * out_stride] = hn::Add(even, odd);
  out[2 * out_stride] = hn::Sub(even, odd);
  out[3 * out_stride] = hn::Add(wide_even, wide_odd);
  out[4 * out_stride] = hn::Sub(wide_even, wide_odd);
  out[5 * out_stride] = hn::MulAdd(four, at(1), hn::NegMulAdd(five, at(3), at(5)));
}

// A^T m along one side.
HWY_INLINE void TransformOutput(D d, const V* in, ptrdiff_t in_stride, V* out, ptrdiff_t out_stride) {
  const auto at = [&](int i) { return in[i * in_stride]; };
  const V near_sum = hn::Add(at(1), at(2));
  const V near_difference = hn::Sub(at(1), at(2));
  const V far_sum = hn::Add(at(3), at(4));
  const V far_difference = hn::Sub(at(3), at(4));
  out[0] = hn::Add(at(0), hn::Add(near_sum, far_sum));
  out[1 * out_stride] = hn::MulAdd(hn::Set(d, 2.0F), far_difference, near_difference);
  out[2 * out_stride] = hn::MulAdd(hn::Set(d, 4.0F), far_sum, near_sum);
  out[3 * out_stride] = hn::Add(hn::MulAdd(hn::Set(d, 8.0F), far_difference, near_difference), at(5));
}

// A tile's channels [c, c + lanes).
template <class Load>
HWY_INLINE void InputTile(D d, const Load& load, float* plane, ptrdiff_t plane_stride) {
  V columns[kWinogradInput * kWinogradInput];  // B^T d
  for (int x = 0; x < kWinogradInput; ++x) {
    V pixels[kWinogradInput];
    for (int y = 0; y < kWinogradInput; ++y) pixels[y] = load(y, x);
    TransformInput(d, pixels, 1, columns + x, kWinogradInput);
  }
  for (ptrdiff_t y = 0; y < kWinogradInput; ++y) {
    V row[kWinogradInput];
    TransformInput(d, columns + y * kWinogradInput, 1, row, 1);
    for (int x = 0; x < kWinogradInput; ++x, plane += plane_stride) hn::StoreU(row[x], d, plane);
  }
}

}  // namespace

void TransformInputs(const MapSize& size, const MapView<const float>& map, const WinogradTiles& tiles, int begin,
                     int end, const WinogradPlanes<float>& planes) {
  const D d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  for (int t = begin; t < end; ++t) {
    const WinogradTilePixels<const float, kWinogradInput> pixels(size, map, tiles, t, /*halo=*/1);
    float* plane = planes.data + (t - begin) * planes.tile_stride;
    const auto whole = [&](int c) { return [&, c](int y, int x) { return hn::LoadU(d, pixels.at[y][x] + c); }; };
    const auto cut = [&](int c) {
      return
          [&, c](int y, int x) { return pixels.at[y][x] == nullptr ? hn::Zero(d) : hn::LoadU(d, pixels.at[y][x] + c); };
    };
    for (int c = 0; c < size.channels; c += lanes, plane += lanes) {
      if (pixels.is_whole) {
        InputTile(d, whole(c), plane, planes.plane_stride);
      } else {
        InputTile(d, cut(c), plane, planes.plane_stride);
      }
    }
  }
}

void TransformOutputs(const WinogradPlanes<const float>& products, const MapSize& size, const WinogradTiles& tiles,
                      int begin, int end, const WinogradEpilogue& epilogue, const MapView<float>& map) {
  const D d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  for (int t = begin; t < end; ++t) {
    const WinogradTilePixels<float, kWinogradOutput> pixels(size, map, tiles, t, /*halo=*/0);
    const float* product = products.data + (t - begin) * products.tile_stride;
    for (int c = 0; c < size.channels; c += lanes, product += lanes) {
      V columns[kWinogradOutput * kWinogradInput];  // A^T m
      for (int x = 0; x < kWinogradInput; ++x) {
        V planes[kWinogradInput];
        for (int y = 0; y < kWinogradInput; ++y) {
          planes[y] = hn::LoadU(d, product + (y * kWinogradInput + x) * products.plane_stride);
        }
        TransformOutput(d, planes, 1, columns + x, kWinogradInput);
      }
      const V bias = hn::LoadU(d, epilogue.bias + c);
      for (ptrdiff_t y = 0; y < kWinogradOutput; ++y) {
        V row[kWinogradOutput];
        TransformOutput(d, columns + y * kWinogradInput, 1, row, 1);
        for (int x = 0; x < kWinogradOutput; ++x) {
          float* out = pixels.at[y][x];
          if (out == nullptr) continue;
          V sum = hn::Add(row[x], bias);
          if (epilogue.adds_output) sum = hn::Add(sum, hn::LoadU(d, out + c));
          if (epilogue.has_relu) sum = hn::IfThenZeroElse(hn::Lt(sum, hn::Zero(d)), sum);  // a NaN passes
          hn::StoreU(sum, d, out + c);
        }
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace candor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace candor {

HWY_EXPORT(TransformInputs);
HWY_EXPORT(TransformOutputs);

void WinogradInput(const MapSize& size, const MapView<const float>& map, const WinogradTiles& tiles, int begin, int end,
                   const WinogradPlanes<float>& planes) {
  HWY_DYNAMIC_DISPATCH(TransformInputs)(size, map, tiles, begin, end, planes);
}

void WinogradOutput(const WinogradPlanes<const float>& products, const MapSize& size, const WinogradTiles& tiles,
                    int begin, int end, const WinogradEpilogue& epilogue, const MapView<float>& map) {
  HWY_DYNAMIC_DISPATCH(TransformOutputs)(products, size, tiles, begin, end, epilogue, map);
}

}  // namespace candor
#endif  // HWY_ONCE
