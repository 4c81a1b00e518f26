// SPDX-License-Identifier: Apache-2.0
//
// ResNet-18 as an encoder of output stride 16 (He et al. 2016; dilated as in segmentation_models_pytorch: every
// convolution of layer4, its first included, has stride 1 and dilation 2). Names are torchvision's.
#pragma once

#include <torch/torch.h>

namespace candor {

// conv1-bn1-ReLU-conv2-bn2, plus identity or `downsample` (1x1 convolution "0", batch norm "1"), ReLU.
class BasicBlockImpl : public torch::nn::Module {
 public:
  BasicBlockImpl(int64_t in, int64_t out, int64_t stride, int64_t dilation);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  torch::nn::Conv2d conv1_;
  torch::nn::BatchNorm2d bn1_;
  torch::nn::Conv2d conv2_;
  torch::nn::BatchNorm2d bn2_;
  torch::nn::Sequential downsample_{nullptr};  // null where the block keeps its shape
};
TORCH_MODULE(BasicBlock);

// What the decoder reads of the encoder.
struct EncoderFeatures {
  torch::Tensor low_level;  // after layer1: [N, width, H/4, W/4]
  torch::Tensor top;        // after layer4: [N, 8 width, H/16, W/16]
};

class ResNetEncoderImpl : public torch::nn::Module {
 public:
  // `width`: channels of the first stage; 64 is ResNet-18. Convolutions start kaiming-normal (fan out), as
  // torchvision's.
  explicit ResNetEncoderImpl(int64_t width);

  // images [N, 3, H, W], H and W multiples of 16.
  EncoderFeatures forward(const torch::Tensor& images);

 private:
  torch::nn::Conv2d conv1_;
  torch::nn::BatchNorm2d bn1_;
  torch::nn::Sequential layer1_, layer2_, layer3_, layer4_;
};
TORCH_MODULE(ResNetEncoder);

}  // namespace candor
