// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <type_traits>

#include "core/kernels/map_view.h"

namespace candor {

// Picture n of `maps` [N, C, H, W], channels last, on the CPU, as the kernels see it. T is float, or uint16_t for the
// bits of a bfloat16; const to read.
template <class T>
MapView<T> PictureOf(const torch::Tensor& maps, int64_t n) {
  auto* data = static_cast<std::remove_const_t<T>*>(maps.data_ptr());
  return {data + n * maps.stride(0), maps.stride(3), maps.stride(2)};
}

inline MapSize SizeOfPicture(const torch::Tensor& maps) {
  return {static_cast<int>(maps.size(2)), static_cast<int>(maps.size(3)), static_cast<int>(maps.size(1))};
}

}  // namespace candor
