// SPDX-License-Identifier: Apache-2.0
//
// Convolution groups of the encoder and decoder. Children are registered under the numbers they have in
// segmentation_models_pytorch's nested Sequentials (torch::nn::Sequential itself cannot be nested), so that state-dict
// keys are equal. Batch norm: eps 1e-5, momentum 0.1, PyTorch's defaults.
#pragma once

#include <torch/torch.h>

#include "core/nn/fold_norm.h"

namespace candor {

torch::nn::Conv2dOptions Conv(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1, int64_t dilation = 1);

// Depthwise 3x3 (child 0), pointwise 1x1 (child 1); no bias, nothing between.
class SeparableConvImpl : public torch::nn::Module {
 public:
  SeparableConvImpl(int64_t in, int64_t out, int64_t dilation);
  torch::Tensor forward(const torch::Tensor& x);
  // norm(forward(x)), with a norm that may be folded into pointwise().
  torch::Tensor Normalised(torch::nn::BatchNorm2d& norm, const torch::Tensor& x);
  torch::nn::Conv2d& pointwise() { return pointwise_; }

 private:
  torch::nn::Conv2d depthwise_, pointwise_;
};
TORCH_MODULE(SeparableConv);

// Convolution (child `first`), batch norm (child `first` + 1), ReLU.
class ConvNormReluImpl : public torch::nn::Module, public FoldableNorms {
 public:
  explicit ConvNormReluImpl(const torch::nn::Conv2dOptions& options, int first = 0);
  torch::Tensor forward(const torch::Tensor& x);
  void FoldNorms() override { FoldNorm(conv_, norm_); }

 private:
  torch::nn::Conv2d conv_;
  torch::nn::BatchNorm2d norm_;
};
TORCH_MODULE(ConvNormRelu);

// Separable convolution (child 0), batch norm (child 1), ReLU.
class SeparableNormReluImpl : public torch::nn::Module, public FoldableNorms {
 public:
  SeparableNormReluImpl(int64_t in, int64_t out, int64_t dilation);
  torch::Tensor forward(const torch::Tensor& x);
  void FoldNorms() override { FoldNorm(conv_->pointwise(), norm_); }

 private:
  SeparableConv conv_;
  torch::nn::BatchNorm2d norm_;
};
TORCH_MODULE(SeparableNormRelu);

}  // namespace candor
