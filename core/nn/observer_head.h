// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include "core/nn/layers.h"
#include "core/nn/uncertainty_head.h"

namespace candor {

// A small network that watches a segmenter, which is frozen and stays as it is, and says where that one errs (after
// Besnier, Picard, Briot 2021, "Learning Uncertainty for Safety-Oriented Semantic Segmentation in Autonomous Driving").
// Their observer is a second network of the segmenter's size; this one starts from the decoder's features:
//
//   features [4 width] and softmax of the class scores [C], concatenated -> 1x1 to 2 width (child "0"), separable 3x3
//   (child "1"), separable 3x3 at rate 2 (child "2"), each with batch norm and ReLU -> 1x1 with bias (child "3"), a
//   channel a kind.
class ObserverHead : public UncertaintyHeadModule {
 public:
  ObserverHead(int64_t width, int64_t classes, int64_t kinds);
  torch::Tensor Forward(const torch::Tensor& features, const torch::Tensor& logits) override;

 private:
  ConvNormRelu project_;
  SeparableNormRelu near_, far_;
  torch::nn::Conv2d out_;
};

}  // namespace candor
