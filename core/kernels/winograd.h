// SPDX-License-Identifier: Apache-2.0
//
// Winograd's F(4x4, 3x3): a 3x3 convolution of stride 1 computes 4x4 outputs from 6x6 inputs with 36 products instead
// of 144, as 36 products of matrices between two transforms (A. Lavin and S. Gray, Fast Algorithms for Convolutional
// Neural Networks, CVPR 2016, section 4.3). The polynomials are interpolated at 0, +-3/4, +-3/2 and infinity instead of
// 0, +-1, +-2 and infinity, which halves what rounding costs: 1.0 instead of 2.1 percent of the results' deviation with
// planes in bfloat16 (128 channels of rectified noise).
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/kernels/map_view.h"

namespace candor {

constexpr int kWinogradOutput = 4;   // pixels of a tile's side
constexpr int kWinogradInput = 6;    // pixels it is computed from, along a side
constexpr int kWinogradPlanes = 36;  // products for a tile, along both
// Channels must be a multiple of this.
constexpr int kWinogradChannels = 16;

// The finite points but 0, both signs of each, and their squares.
constexpr double kWinogradNear = 0.75;
constexpr double kWinogradFar = 1.5;
constexpr double kWinogradNear2 = kWinogradNear * kWinogradNear;
constexpr double kWinogradFar2 = kWinogradFar * kWinogradFar;

// A filter's transform, along one side: G of the paper, [6, 3]. A filter g has the planes G g G^T. Each row has the
// powers of its point p over the product of p - q for the other finite points q.
constexpr double kWinogradAtZero = 1 / (kWinogradNear2 * kWinogradFar2);
constexpr double kWinogradAtNear = 1 / (2 * kWinogradNear2 * (kWinogradNear2 - kWinogradFar2));
constexpr double kWinogradAtFar = 1 / (2 * kWinogradFar2 * (kWinogradFar2 - kWinogradNear2));
constexpr double kWinogradFilter[kWinogradInput][3] = {
    {kWinogradAtZero, 0, 0},
    {kWinogradAtNear, kWinogradAtNear* kWinogradNear, kWinogradAtNear* kWinogradNear2},
    {kWinogradAtNear, -kWinogradAtNear* kWinogradNear, kWinogradAtNear* kWinogradNear2},
    {kWinogradAtFar, kWinogradAtFar* kWinogradFar, kWinogradAtFar* kWinogradFar2},
    {kWinogradAtFar, -kWinogradAtFar* kWinogradFar, kWinogradAtFar* kWinogradFar2},
    {0, 0, 1},
};

// The outputs of a map in tiles. A convolution of dilation d is d^2 plain ones, each of every d-th pixel; a tile lies
// in one of them. Tiles that reach beyond the map have fewer outputs.
struct WinogradTiles {
  WinogradTiles(const MapSize& size, int dilation)
      : dilation(dilation),
        rows(Count(size.height, dilation)),
        columns(Count(size.width, dilation)),
        count(dilation * dilation * rows * columns) {}

  static int Count(int side, int dilation) {
    const int step = kWinogradOutput * dilation;
    return (side + step - 1) / step;
  }

  int dilation;
  int rows, columns;  // of each plain convolution
  int count;
};

// Where tile t of a call and channel c lie in plane p: data[p * plane_stride + t * tile_stride + c].
template <class T>
struct WinogradPlanes {
  T* data = nullptr;
  ptrdiff_t tile_stride = 0;   // elements, at least the number of channels
  ptrdiff_t plane_stride = 0;  // elements
};

// Both transforms for the tiles [begin, end) of one picture. 0 <= begin <= end <= tiles.count. Thread-safe: calls for
// different tiles may run at the same time. They compute in float32; uint16_t has the bits of a bfloat16, rounded to
// nearest even, and a NaN stays one.

// The inputs of `map` ([size], zeros around it).
void WinogradInput(const MapSize& size, const MapView<const float>& map, const WinogradTiles& tiles, int begin, int end,
                   const WinogradPlanes<float>& planes);
void WinogradInput(const MapSize& size, const MapView<const uint16_t>& map, const WinogradTiles& tiles, int begin,
                   int end, const WinogradPlanes<uint16_t>& planes);

struct WinogradEpilogue {
  const float* bias = nullptr;  // [channels]
  bool adds_output = false;     // what stands in the output is added
  bool has_relu = false;
};

// The outputs: map = relu(A^T products A + bias + map), the last two parts as `epilogue` says. size.channels are those
// written.
void WinogradOutput(const WinogradPlanes<const float>& products, const MapSize& size, const WinogradTiles& tiles,
                    int begin, int end, const WinogradEpilogue& epilogue, const MapView<float>& map);
void WinogradOutput(const WinogradPlanes<const float>& products, const MapSize& size, const WinogradTiles& tiles,
                    int begin, int end, const WinogradEpilogue& epilogue, const MapView<uint16_t>& map);

}  // namespace candor
