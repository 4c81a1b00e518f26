// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <algorithm>
#include <type_traits>

#include "core/kernels/map_view.h"

namespace candor {

// T is float, or uint16_t for the bits of a bfloat16.
template <class T>
constexpr torch::ScalarType kTypeOf = std::is_same_v<T, float> ? torch::kFloat : torch::kBFloat16;

// Picture n of `maps` [N, C, H, W], channels last, on the CPU, as the kernels see it. T is float, or uint16_t for the
// bits of a bfloat16; const to read.
template <class T>
MapView<T> PictureOf(const torch::Tensor& maps, int64_t n) {
  auto* data = static_cast<std::remove_const_t<T>*>(maps.data_ptr());
  return {data + n * maps.stride(0), maps.stride(3), maps.stride(2)};
}

// Parts [begin, end) of a batch of which each picture has `per_picture` > 0: run(n, first, last) with the parts [first,
// last) of picture n, for one picture after the other.
template <class Run>
void ForEachPicture(int64_t begin, int64_t end, int64_t per_picture, const Run& run) {
  while (begin < end) {
    const int64_t n = begin / per_picture;
    const int64_t stop = std::min(end, (n + 1) * per_picture);
    run(n, static_cast<int>(begin - n * per_picture), static_cast<int>(stop - n * per_picture));
    begin = stop;
  }
}

inline MapSize SizeOfPicture(const torch::Tensor& maps) {
  return {static_cast<int>(maps.size(2)), static_cast<int>(maps.size(3)), static_cast<int>(maps.size(1))};
}

}  // namespace candor
