// SPDX-License-Identifier: Apache-2.0
//
// How ResNet-18's convolutions follow each other, and the maps between them, whatever they are computed in.
#pragma once

#include <torch/torch.h>

#include <array>
#include <cstddef>
#include <functional>
#include <vector>

#include "core/engine/packed_conv.h"
#include "core/model/model_spec.h"

namespace candor {

inline constexpr size_t kEncoderBlocks = 8;  // two a stage

// Blocks that start the second, third and fourth stage; they alone have a downsampling.
inline bool StartsStage(size_t block) { return block > 0 && block % 2 == 0; }

struct BlockGeometry {
  explicit BlockGeometry(size_t block);

  ConvGeometry conv1, conv2, downsample;
};

// As torch::max_pool2d(x, 3, 2, 1) of a ReLU's result, float32 or bfloat16, NHWC.
torch::Tensor PoolStem(const torch::Tensor& x);

// Ranges of the maps that are stored between the convolutions, kEncoderMaps of them, in this order: the stem's, pooled;
// of each block what its first convolution gives, what its downsampling gives if it has one, and what the block gives.
using EncoderRanges = std::vector<ValueRange>;

// Is shown every one of them, in order, while the network runs.
using MapObserver = std::function<void(size_t map, const torch::Tensor& values)>;

// Makes `ranges`, which outlives it, hold 0 and every value that it is shown.
MapObserver ObserveRanges(EncoderRanges* ranges);

}  // namespace candor
