// SPDX-License-Identifier: Apache-2.0
//
// The network's weights as inference needs them: every batch norm folded into the convolution before it.
#pragma once

#include <torch/torch.h>

#include <array>

#include "core/nn/segmentation_net.h"

namespace candor {

// float32 throughout.
struct FoldedConv {
  torch::Tensor weight;  // [out, in, k, k]
  torch::Tensor bias;    // [out]
};

struct FoldedSeparable {
  torch::Tensor depthwise;  // [channels, 1, 3, 3]
  FoldedConv pointwise;
};

struct FoldedBlock {
  FoldedConv conv1, conv2;
  FoldedConv downsample;  // undefined tensors where the block keeps its shape
};

// Dilations of the pyramid's separable convolutions.
inline constexpr std::array<int, 3> kAsppRates = {12, 24, 36};

struct FoldedWeights {
  FoldedConv stem;
  std::array<FoldedBlock, 8> blocks;  // layer1.0, layer1.1, layer2.0, ...
  FoldedConv aspp_pointwise;
  std::array<FoldedSeparable, kAsppRates.size()> aspp_rates;  // of kAsppRates
  FoldedConv aspp_pool;
  FoldedConv aspp_project;
  FoldedSeparable refine;
  FoldedConv low_level;
  FoldedSeparable merge;  // of context and low-level features
  FoldedConv heads;       // classes first, then the uncertainty channels
  int64_t classes = 0;
  int64_t uncertainty_channels = 0;
};

// Copies; the network is left as it is. Its norms must not have been folded.
FoldedWeights FoldWeights(const SegmentationNetImpl& net);

}  // namespace candor
