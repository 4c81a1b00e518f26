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
    downsample_conv_ = torch::nn::Conv2d(Conv(in, out, 1, stride));
    downsample_norm_ = torch::nn::BatchNorm2d(out);
    register_module("downsample", torch::nn::Sequential(downsample_conv_, downsample_norm_));
  }
}

torch::Tensor BasicBlockImpl::forward(const torch::Tensor& x) {
  const torch::Tensor identity = downsample_conv_.is_empty() ? x : ConvNorm(downsample_conv_, downsample_norm_, x);
  return ConvNorm(conv2_, bn2_, ConvNorm(conv1_, bn1_, x).relu_()).add_(identity).relu_();
}

void BasicBlockImpl::FoldNorms() {
  FoldNorm(conv1_, bn1_);
  FoldNorm(conv2_, bn2_);
  if (!downsample_conv_.is_empty()) FoldNorm(downsample_conv_, downsample_norm_);
}

ResNetEncoderImpl::ResNetEncoderImpl(int64_t width, double dropout)
    : conv1_(register_module("conv1", torch::nn::Conv2d(Conv(3, width, 7, 2)))),
      bn1_(register_module("bn1", torch::nn::BatchNorm2d(width))),
      layer1_(register_module("layer1", Stage(width, width, 1, 1))),
      layer2_(register_module("layer2", Stage(width, 2 * width, 2, 1))),
      layer3_(register_module("layer3", Stage(2 * width, 4 * width, 2, 1))),
      layer4_(register_module("layer4", Stage(4 * width, 8 * width, 1, 2))),
      dropout_(register_module("dropout", torch::nn::Dropout(dropout))) {
  for (const auto& module : modules(/*include_self=*/false)) {
    if (auto* conv = module->as<torch::nn::Conv2d>()) {
      torch::nn::init::kaiming_normal_(conv->weight, 0.0, torch::kFanOut, torch::kReLU);
    }
  }
}

EncoderFeatures ResNetEncoderImpl::forward(const torch::Tensor& images) {
  return AfterFirstLayer(FirstLayer(images), [this](const torch::Tensor& x, int /*layer*/) { return dropout_(x); });
}

torch::Tensor ResNetEncoderImpl::FirstLayer(const torch::Tensor& images) {
  const torch::Tensor x = ConvNorm(conv1_, bn1_, images).relu_();
  return layer1_->forward(torch::max_pool2d(x, /*kernel_size=*/3, /*stride=*/2, /*padding=*/1));
}

EncoderFeatures ResNetEncoderImpl::AfterFirstLayer(const torch::Tensor& first_layer, const LayerDropout& dropout) {
  const torch::Tensor low_level = dropout(first_layer, 1);
  torch::Tensor x = dropout(layer2_->forward(low_level), 2);
  x = dropout(layer3_->forward(x), 3);
  return {low_level, dropout(layer4_->forward(x), 4)};
}

}  // namespace candor
