// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace candor {

// A dropout mask [1, C, H, W], channels last, float32 on the CPU: 0 with probability `rate` (in [0, 1)), else 1 / (1 -
// rate). A fixed function of (seed, pixel, channel): the same on every machine and device, and for every picture of a
// batch. Torch's generators promise none of that, and a known answer needs all of it. Uses Torch's threads.
torch::Tensor DropoutMask(uint32_t seed, float rate, int64_t channels, int64_t height, int64_t width);

}  // namespace candor
