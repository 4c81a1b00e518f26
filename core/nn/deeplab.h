// SPDX-License-Identifier: Apache-2.0
//
// DeepLabv3+ decoder (Chen et al. 2018) with separable atrous convolutions, as in segmentation_models_pytorch.
#pragma once

#include <torch/torch.h>

#include "core/nn/layers.h"
#include "core/nn/resnet.h"

namespace candor {

// Atrous spatial pyramid pooling: 1x1, three separable 3x3 at rates 12, 24, 36, and image pooling, concatenated and
// projected to `out` channels with dropout 0.5.
class AsppImpl : public torch::nn::Module {
 public:
  AsppImpl(int64_t in, int64_t out);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  ConvNormRelu pointwise_{nullptr};
  SeparableNormRelu rate12_{nullptr}, rate24_{nullptr}, rate36_{nullptr};
  ConvNormRelu pool_{nullptr};
  ConvNormRelu project_{nullptr};
  torch::nn::Dropout dropout_;
};
TORCH_MODULE(Aspp);

// Encoder features -> [N, 4 width, H/4, W/4]: ASPP, a separable convolution, upsampling by 4 (align_corners),
// concatenation with the projected low-level features, one more separable convolution.
class DeepLabDecoderImpl : public torch::nn::Module, public FoldableNorms {
 public:
  explicit DeepLabDecoderImpl(int64_t width);
  torch::Tensor forward(const EncoderFeatures& features);
  void FoldNorms() override { FoldNorm(refine_->pointwise(), refine_norm_); }

 private:
  Aspp aspp_{nullptr};
  SeparableConv refine_{nullptr};
  torch::nn::BatchNorm2d refine_norm_{nullptr};
  ConvNormRelu block1_{nullptr};
  SeparableNormRelu block2_{nullptr};
};
TORCH_MODULE(DeepLabDecoder);

// Bilinear upsampling by 4 with align_corners, the rule of every upsampling in this network but the image pooling's.
torch::Tensor UpsampleBy4(const torch::Tensor& x);

}  // namespace candor
