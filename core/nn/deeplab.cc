// SPDX-License-Identifier: Apache-2.0
#include "core/nn/deeplab.h"

#include <memory>

namespace candor {
namespace {

std::shared_ptr<torch::nn::Module> Container() { return std::make_shared<torch::nn::Module>(); }

}  // namespace

AsppImpl::AsppImpl(int64_t in, int64_t out) {
  const auto convs = register_module("convs", Container());
  pointwise_ = convs->register_module("0", ConvNormRelu(Conv(in, out, 1)));
  rate12_ = convs->register_module("1", SeparableNormRelu(in, out, 12));
  rate24_ = convs->register_module("2", SeparableNormRelu(in, out, 24));
  rate36_ = convs->register_module("3", SeparableNormRelu(in, out, 36));
  pool_ = convs->register_module("4", ConvNormRelu(Conv(in, out, 1), /*first=*/1));  // 0 is the pooling layer
  project_ = register_module("project", ConvNormRelu(Conv(5 * out, out, 1)));
  dropout_ = torch::nn::Dropout(0.5);
  register_module("dropout", dropout_);
}

torch::Tensor AsppImpl::forward(const torch::Tensor& x) {
  // The image's mean is one value a channel: broadcasting it is what bilinear upsampling from 1x1 does.
  const torch::Tensor pooled = pool_(torch::adaptive_avg_pool2d(x, {1, 1})).expand({-1, -1, x.size(2), x.size(3)});
  const torch::Tensor pyramid = torch::cat({pointwise_(x), rate12_(x), rate24_(x), rate36_(x), pooled}, 1);
  return dropout_(project_(pyramid));
}

DeepLabDecoderImpl::DeepLabDecoderImpl(int64_t width) {
  const int64_t channels = 4 * width;
  const int64_t low_level = 3 * width / 4;  // 48 of 64
  const auto aspp = register_module("aspp", Container());
  aspp_ = aspp->register_module("0", Aspp(8 * width, channels));
  refine_ = aspp->register_module("1", SeparableConv(channels, channels, 1));
  refine_norm_ = aspp->register_module("2", torch::nn::BatchNorm2d(channels));
  block1_ = register_module("block1", ConvNormRelu(Conv(width, low_level, 1)));
  block2_ = register_module("block2", SeparableNormRelu(channels + low_level, channels, 1));
}

torch::Tensor DeepLabDecoderImpl::forward(const EncoderFeatures& features) {
  const torch::Tensor context = refine_->Normalised(refine_norm_, aspp_(features.top)).relu_();
  return block2_(torch::cat({UpsampleBy4(context), block1_(features.low_level)}, 1));
}

torch::Tensor UpsampleBy4(const torch::Tensor& x) {
  return torch::upsample_bilinear2d(x, {4 * x.size(2), 4 * x.size(3)}, /*align_corners=*/true);
}

}  // namespace candor
