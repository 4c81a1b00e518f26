// SPDX-License-Identifier: Apache-2.0
//
// ResNet-18 as an encoder of output stride 16 (He et al. 2016; dilated as in segmentation_models_pytorch: every
// convolution of layer4, its first included, has stride 1 and dilation 2). Names are torchvision's.
#pragma once

#include <torch/torch.h>

#include <functional>

#include "core/nn/fold_norm.h"
#include "core/nn/network.h"

namespace candor {

// conv1-bn1-ReLU-conv2-bn2, plus identity or `downsample` (1x1 convolution "0", batch norm "1"), ReLU.
class BasicBlockImpl : public torch::nn::Module, public FoldableNorms {
 public:
  BasicBlockImpl(int64_t in, int64_t out, int64_t stride, int64_t dilation);
  torch::Tensor forward(const torch::Tensor& x);
  void FoldNorms() override;

 private:
  torch::nn::Conv2d conv1_;
  torch::nn::BatchNorm2d bn1_;
  torch::nn::Conv2d conv2_;
  torch::nn::BatchNorm2d bn2_;
  // Children 0 and 1 of `downsample`; null where the block keeps its shape.
  torch::nn::Conv2d downsample_conv_{nullptr};
  torch::nn::BatchNorm2d downsample_norm_{nullptr};
};
TORCH_MODULE(BasicBlock);

// Dropout of the output of `layer`, 1 to 4.
using LayerDropout = std::function<torch::Tensor(const torch::Tensor& x, int layer)>;

class ResNetEncoderImpl : public torch::nn::Module, public FoldableNorms {
 public:
  // `width`: channels of the first stage; 64 is ResNet-18. Convolutions start kaiming-normal (fan out), as
  // torchvision's. `dropout`: rate after each of the four layers while training, 0 for none.
  ResNetEncoderImpl(int64_t width, double dropout);

  // images [N, 3, H, W], H and W multiples of 16.
  EncoderFeatures forward(const torch::Tensor& images);

  // forward in two steps, with another dropout than the module's own: up to layer1 without dropout, and the rest.
  torch::Tensor FirstLayer(const torch::Tensor& images);
  EncoderFeatures AfterFirstLayer(const torch::Tensor& first_layer, const LayerDropout& dropout);

  void FoldNorms() override { FoldNorm(conv1_, bn1_); }

 private:
  torch::nn::Conv2d conv1_;
  torch::nn::BatchNorm2d bn1_;
  torch::nn::Sequential layer1_, layer2_, layer3_, layer4_;
  torch::nn::Dropout dropout_;  // has no state
};
TORCH_MODULE(ResNetEncoder);

}  // namespace candor
