// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/winograd.h"

#include <algorithm>
#include <array>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/winograd.cc"  // this file, once per instruction set
#include "hwy/foreach_target.h"
// After foreach_target: compiled once per instruction set.
#include "core/kernels/channel_pair-inl.h"

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

using D = hn::CappedTag<float, kWinogradChannels>;
using V = hn::Vec<D>;

// B^T d along one side: for each point, the polynomial that is zero at the others.
HWY_INLINE void TransformInput(D d, const V* in, ptrdiff_t in_stride, V* out, ptrdiff_t out_stride) {
  const V near = hn::Set(d, static_cast<float>(kWinogradNear));
  const V near2 = hn::Set(d, static_cast<float>(kWinogradNear2));
  const V far = hn::Set(d, static_cast<float>(kWinogradFar));
  const V far2 = hn::Set(d, static_cast<float>(kWinogradFar2));
  const V sum = hn::Set(d, static_cast<float>(kWinogradNear2 + kWinogradFar2));
  const V product = hn::Set(d, static_cast<float>(kWinogradNear2 * kWinogradFar2));
  const auto at = [&](int i) { return in[i * in_stride]; };
  const V near_even = hn::NegMulAdd(far2, at(2), at(4));
  const V near_odd = hn::NegMulAdd(far2, at(1), at(3));
  const V far_even = hn::NegMulAdd(near2, at(2), at(4));
  const V far_odd = hn::NegMulAdd(near2, at(1), at(3));
  out[0] = hn::MulAdd(product, at(0), hn::NegMulAdd(sum, at(2), at(4)));
  out[1 * out_stride] = hn::MulAdd(near, near_odd, near_even);
  out[2 * out_stride] = hn::NegMulAdd(near, near_odd, near_even);
  out[3 * out_stride] = hn::MulAdd(far, far_odd, far_even);
  out[4 * out_stride] = hn::NegMulAdd(far, far_odd, far_even);
  out[5 * out_stride] = hn::MulAdd(product, at(1), hn::NegMulAdd(sum, at(3), at(5)));
}

// A^T m along one side: row i has the i-th powers of the points.
HWY_INLINE void TransformOutput(D d, const V* in, ptrdiff_t in_stride, V* out, ptrdiff_t out_stride) {
  const V near = hn::Set(d, static_cast<float>(kWinogradNear));
  const V near2 = hn::Set(d, static_cast<float>(kWinogradNear2));
  const V near3 = hn::Set(d, static_cast<float>(kWinogradNear2 * kWinogradNear));
  const V far = hn::Set(d, static_cast<float>(kWinogradFar));
  const V far2 = hn::Set(d, static_cast<float>(kWinogradFar2));
  const V far3 = hn::Set(d, static_cast<float>(kWinogradFar2 * kWinogradFar));
  const auto at = [&](int i) { return in[i * in_stride]; };
  const V near_sum = hn::Add(at(1), at(2));
  const V near_difference = hn::Sub(at(1), at(2));
  const V far_sum = hn::Add(at(3), at(4));
  const V far_difference = hn::Sub(at(3), at(4));
  out[0] = hn::Add(at(0), hn::Add(near_sum, far_sum));
  out[1 * out_stride] = hn::MulAdd(near, near_difference, hn::Mul(far, far_difference));
  out[2 * out_stride] = hn::MulAdd(near2, near_sum, hn::Mul(far2, far_sum));
  out[3 * out_stride] = hn::MulAdd(near3, near_difference, hn::MulAdd(far3, far_difference, at(5)));
}

// Some channels of a tile.
template <class Load, class T>
HWY_INLINE void InputTile(D d, const Load& load, T* plane, ptrdiff_t plane_stride) {
  V columns[kWinogradInput * kWinogradInput];  // B^T d
  for (int x = 0; x < kWinogradInput; ++x) {
    V pixels[kWinogradInput];
    for (int y = 0; y < kWinogradInput; ++y) pixels[y] = load(y, x);
    TransformInput(d, pixels, 1, columns + x, kWinogradInput);
  }
  for (ptrdiff_t y = 0; y < kWinogradInput; ++y) {
    V row[kWinogradInput];
    TransformInput(d, columns + y * kWinogradInput, 1, row, 1);
    for (int x = 0; x < kWinogradInput; ++x, plane += plane_stride) StoreInOrder(d, row[x], plane);
  }
}

template <class T>
void InputTiles(const MapSize& size, const MapView<const T>& map, const WinogradTiles& tiles, int begin, int end,
                const WinogradPlanes<T>& planes) {
  const D d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  for (int t = begin; t < end; ++t) {
    const WinogradTilePixels<const T, kWinogradInput> pixels(size, map, tiles, t, /*halo=*/1);
    T* plane = planes.data + (t - begin) * planes.tile_stride;
    const auto whole = [&](int c) { return [&, c](int y, int x) { return LoadInOrder(d, pixels.at[y][x] + c); }; };
    const auto cut = [&](int c) {
      return [&, c](int y, int x) {
        return pixels.at[y][x] == nullptr ? hn::Zero(d) : LoadInOrder(d, pixels.at[y][x] + c);
      };
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

// A tile's channels [c, c + lanes). `product`: of its channel 0 in the first plane.
template <class T>
HWY_INLINE void OutputTile(D d, const float* product, ptrdiff_t plane_stride, const WinogradEpilogue& epilogue, int c,
                           const WinogradTilePixels<T, kWinogradOutput>& pixels) {
  V columns[kWinogradOutput * kWinogradInput];  // A^T m
  for (int x = 0; x < kWinogradInput; ++x) {
    V planes[kWinogradInput];
    for (int y = 0; y < kWinogradInput; ++y) {
      planes[y] = hn::LoadU(d, product + c + (y * kWinogradInput + x) * plane_stride);
    }
    TransformOutput(d, planes, 1, columns + x, kWinogradInput);
  }
  const V bias = hn::LoadU(d, epilogue.bias + c);
  for (ptrdiff_t y = 0; y < kWinogradOutput; ++y) {
    V row[kWinogradOutput];
    TransformOutput(d, columns + y * kWinogradInput, 1, row, 1);
    for (int x = 0; x < kWinogradOutput; ++x) {
      T* out = pixels.at[y][x];
      if (out == nullptr) continue;
      V sum = hn::Add(row[x], bias);
      if (epilogue.adds_output) sum = hn::Add(sum, LoadInOrder(d, out + c));
      if (epilogue.has_relu) sum = hn::IfThenZeroElse(hn::Lt(sum, hn::Zero(d)), sum);  // a NaN passes
      StoreInOrder(d, sum, out + c);
    }
  }
}

template <class T>
void OutputTiles(const WinogradPlanes<const float>& products, const MapSize& size, const WinogradTiles& tiles,
                 int begin, int end, const WinogradEpilogue& epilogue, const MapView<T>& map) {
  const D d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  for (int t = begin; t < end; ++t) {
    const WinogradTilePixels<T, kWinogradOutput> pixels(size, map, tiles, t, /*halo=*/0);
    const float* product = products.data + (t - begin) * products.tile_stride;
    for (int c = 0; c < size.channels; c += lanes) {
      OutputTile(d, product, products.plane_stride, epilogue, c, pixels);
    }
  }
}

}  // namespace

void InputFloats(const MapSize& size, const MapView<const float>& map, const WinogradTiles& tiles, int begin, int end,
                 const WinogradPlanes<float>& planes) {
  InputTiles(size, map, tiles, begin, end, planes);
}

void InputBfloats(const MapSize& size, const MapView<const uint16_t>& map, const WinogradTiles& tiles, int begin,
                  int end, const WinogradPlanes<uint16_t>& planes) {
  InputTiles(size, map, tiles, begin, end, planes);
}

void OutputFloats(const WinogradPlanes<const float>& products, const MapSize& size, const WinogradTiles& tiles,
                  int begin, int end, const WinogradEpilogue& epilogue, const MapView<float>& map) {
  OutputTiles(products, size, tiles, begin, end, epilogue, map);
}

void OutputBfloats(const WinogradPlanes<const float>& products, const MapSize& size, const WinogradTiles& tiles,
                   int begin, int end, const WinogradEpilogue& epilogue, const MapView<uint16_t>& map) {
  OutputTiles(products, size, tiles, begin, end, epilogue, map);
}

}  // namespace HWY_NAMESPACE
}  // namespace candor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace candor {

HWY_EXPORT(InputFloats);
HWY_EXPORT(InputBfloats);
HWY_EXPORT(OutputFloats);
HWY_EXPORT(OutputBfloats);

void WinogradInput(const MapSize& size, const MapView<const float>& map, const WinogradTiles& tiles, int begin, int end,
                   const WinogradPlanes<float>& planes) {
  HWY_DYNAMIC_DISPATCH(InputFloats)(size, map, tiles, begin, end, planes);
}

void WinogradInput(const MapSize& size, const MapView<const uint16_t>& map, const WinogradTiles& tiles, int begin,
                   int end, const WinogradPlanes<uint16_t>& planes) {
  HWY_DYNAMIC_DISPATCH(InputBfloats)(size, map, tiles, begin, end, planes);
}

void WinogradOutput(const WinogradPlanes<const float>& products, const MapSize& size, const WinogradTiles& tiles,
                    int begin, int end, const WinogradEpilogue& epilogue, const MapView<float>& map) {
  HWY_DYNAMIC_DISPATCH(OutputFloats)(products, size, tiles, begin, end, epilogue, map);
}

void WinogradOutput(const WinogradPlanes<const float>& products, const MapSize& size, const WinogradTiles& tiles,
                    int begin, int end, const WinogradEpilogue& epilogue, const MapView<uint16_t>& map) {
  HWY_DYNAMIC_DISPATCH(OutputBfloats)(products, size, tiles, begin, end, epilogue, map);
}

}  // namespace candor
#endif  // HWY_ONCE
