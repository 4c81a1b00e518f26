// SPDX-License-Identifier: Apache-2.0
//
// Channels-last Torch maps of noise. T is float, or uint16_t for bfloat16.
#pragma once

#include <torch/torch.h>

#include "core/nn/picture_of.h"

namespace candor {

template <class T>
torch::Tensor RandomMap(int channels, int height, int width) {
  return torch::randn({1, channels, height, width}).contiguous(at::MemoryFormat::ChannelsLast).to(kTypeOf<T>);
}

}  // namespace candor
