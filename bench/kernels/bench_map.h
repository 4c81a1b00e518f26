// SPDX-License-Identifier: Apache-2.0
//
// Channels-last Torch maps as the kernels see them. T is float, or uint16_t for bfloat16.
#pragma once

#include <torch/torch.h>

#include <type_traits>

#include "core/kernels/map_view.h"

namespace candor {

template <class T>
constexpr at::ScalarType kTypeOf = sizeof(T) == 2 ? at::kBFloat16 : at::kFloat;

template <class T>
torch::Tensor RandomMap(int channels, int height, int width) {
  return torch::randn({1, channels, height, width}).contiguous(at::MemoryFormat::ChannelsLast).to(kTypeOf<T>);
}

template <class T>
MapView<T> ViewOf(const torch::Tensor& map) {
  return {static_cast<std::remove_const_t<T>*>(map.data_ptr()), map.stride(3), map.stride(2)};
}

// [C, 1, 3, 3] as the kernels' [9, C] in fp32.
inline torch::Tensor WeightsByTap(const torch::Tensor& weights) {
  return weights.to(at::kFloat).view({weights.size(0), 9}).t().contiguous();
}

}  // namespace candor
