// SPDX-License-Identifier: Apache-2.0
//
// The network of the DUDES paper: DeepLabv3+ on ResNet-18, and for a student a second 1x1 head on the same decoder
// features (Landgraf et al. 2023, section 3.1). Readable form: for training and as the reference of the compiled one.
#pragma once

#include <torch/torch.h>

#include "core/model/model_spec.h"
#include "core/nn/deeplab.h"
#include "core/nn/network.h"
#include "core/nn/resnet.h"

namespace candor {

class SegmentationNetImpl : public torch::nn::Module, public Network {
 public:
  // Parameters with `width` 64 and C classes: 12,329,040 + 257 C, plus 257 for the uncertainty head.
  SegmentationNetImpl(int64_t width, int64_t classes, bool has_uncertainty_head);

  Scores Forward(const torch::Tensor& images) override;
  Scores forward(const torch::Tensor& images) { return Forward(images); }

 private:
  ResNetEncoder encoder_;
  DeepLabDecoder decoder_;
  torch::nn::Conv2d segmentation_head_{nullptr};
  torch::nn::Conv2d uncertainty_head_{nullptr};
};
TORCH_MODULE(SegmentationNet);

// The network a spec describes, freshly initialised, in training mode.
SegmentationNet MakeNetwork(const ModelSpec& spec);

}  // namespace candor
