// SPDX-License-Identifier: Apache-2.0
#include "core/nn/resnet.h"

#include "core/nn/layers.h"

namespace candor {
namespace {

torch::nn::Sequential Stage(int64_t in, int64_t out, int64_t stride, int64_t dilation) {
  return torch::nn::Sequential(BasicBlock(in, out, stride, dilation), BasicBlock(out, out, 1, dilation));
}

}  // namespace

BasicBlockImpl::BasicBlockImpl(int64_t in, int64_t out, int64_t stride, int64_t dilation)
    : conv1_(register_module("conv1", torch::nn::Conv2d(Conv(in, out, 3, stride, dilation)))),
      bn1_(register_module("bn1", torch::nn::BatchNorm2d(out))),
      conv2_(register_module("conv2", torch::nn::Conv2d(Conv(out, out, 3, 1, dilation)))),
      bn2_(register_module("bn2", torch::nn::BatchNorm2d(out))) {
  if (in != out) {
    downsample_ = register_module(
        "downsample", torch::nn::Sequential(torch::nn::Conv2d(Conv(in, out, 1, stride)), torch::nn::BatchNorm2d(out)));
  }
}

torch::Tensor BasicBlockImpl::forward(const torch::Tensor& x) {
  const torch::Tensor identity = downsample_.is_empty() ? x : downsample_->forward(x);
  return bn2_(conv2_(bn1_(conv1_(x)).relu_())).add_(identity).relu_();
}

ResNetEncoderImpl::ResNetEncoderImpl(int64_t width)
    : conv1_(register_module("conv1", torch::nn::Conv2d(Conv(3, width, 7, 2)))),
      bn1_(register_module("bn1", torch::nn::BatchNorm2d(width))),
      layer1_(register_module("layer1", Stage(width, width, 1, 1))),
      layer2_(register_module("layer2", Stage(width, 2 * width, 2, 1))),
      layer3_(register_module("layer3", Stage(2 * width, 4 * width, 2, 1))),
      layer4_(register_module("layer4", Stage(4 * width, 8 * width, 1, 2))) {
  for (const auto& module : modules(/*include_self=*/false)) {
    if (auto* conv = module->as<torch::nn::Conv2d>()) {
      torch::nn::init::kaiming_normal_(conv->weight, 0.0, torch::kFanOut, torch::kReLU);
    }
  }
}

EncoderFeatures ResNetEncoderImpl::forward(const torch::Tensor& images) {
  torch::Tensor x = bn1_(conv1_(images)).relu_();
  x = torch::max_pool2d(x, /*kernel_size=*/3, /*stride=*/2, /*padding=*/1);
  const torch::Tensor low_level = layer1_->forward(x);
  return {low_level, layer4_->forward(layer3_->forward(layer2_->forward(low_level)))};
}

}  // namespace candor
