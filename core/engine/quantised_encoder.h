// SPDX-License-Identifier: Apache-2.0
//
// The encoder with its stages in 8 bits; the stem, 3 % of the work, is not.
#pragma once

#include <torch/torch.h>

#include <array>

#include "core/engine/encoder_shape.h"
#include "core/engine/folded_weights.h"
#include "core/engine/plan.h"
#include "core/engine/quantised_conv.h"

namespace candor {

// What is the same for every shape. Thread-compatible.
struct QuantisedEncoderLayers {
  // `ranges`: of kEncoderMaps maps. `type`: what the stem computes in and the features are of.
  QuantisedEncoderLayers(const FoldedWeights& weights, const EncoderRanges& ranges, torch::ScalarType type);

  torch::ScalarType type;
  PackedConvLayer stem;
  std::array<EncoderBlock<QuantisedConvLayer>, kEncoderBlocks> blocks;
  Quantisation pooled;
  struct BlockMaps {
    Quantisation conv1, downsample, result;
  };
  std::array<BlockMaps, kEncoderBlocks> maps;
};

// For images of one shape. Thread-compatible. Throws c10::Error.
class QuantisedEncoderPlan {
 public:
  // `layers` are borrowed.
  QuantisedEncoderPlan(int64_t n, int64_t height, int64_t width, QuantisedEncoderLayers* layers);

  // As EncoderPlan.
  EncoderFeatures Run(const torch::Tensor& images) const;

 private:
  const QuantisedEncoderLayers* layers_;
  PackedConv stem_;
  std::array<EncoderBlock<QuantisedConv>, kEncoderBlocks> blocks_;
};

}  // namespace candor
