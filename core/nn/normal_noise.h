// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

namespace candor {

// Draws of N(0, 1), float32 on the CPU: a fixed function of (stream, index in row-major order), the same on every
// machine up to rounding. Torch's generators do not promise that, and a known answer needs it. SplitMix64 (Steele et
// al. 2014) of 2^32 stream + index, by the Box-Muller transform; below 2^32 values.
torch::Tensor NormalNoise(uint32_t stream, const std::vector<int64_t>& shape);

}  // namespace candor
