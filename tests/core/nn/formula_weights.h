// SPDX-License-Identifier: Apache-2.0
//
// The weights and picture of tools/make_golden.py, by the same formula: SplitMix64 of crc32(name) * 2^32 + index.
#pragma once

#include <torch/torch.h>

#include <string>

#include "core/nn/segmentation_net.h"

namespace candor {

// Fills every parameter and buffer: convolutions U(-1, 1) * sqrt(6 / fan_in), scales and variances 1 + 0.3 U(-1, 1),
// the rest 0.1 U(-1, 1).
void FillWithFormula(const SegmentationNet& net, const std::string& seed);

// [1, 3, height, width] float32 in [0, 1).
torch::Tensor FormulaImage(int64_t height, int64_t width);

}  // namespace candor
