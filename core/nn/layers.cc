// SPDX-License-Identifier: Apache-2.0
#include "core/nn/layers.h"

#include <string>

#include "core/nn/convolve.h"

namespace candor {

torch::nn::Conv2dOptions Conv(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t dilation) {
  return torch::nn::Conv2dOptions(in, out, kernel)
      .stride(stride)
      .padding(kernel / 2 * dilation)
      .dilation(dilation)
      .bias(false);
}

SeparableConvImpl::SeparableConvImpl(int64_t in, int64_t out, int64_t dilation)
    : depthwise_(register_module("0", torch::nn::Conv2d(Conv(in, in, 3, 1, dilation).groups(in)))),
      pointwise_(register_module("1", torch::nn::Conv2d(Conv(in, out, 1)))) {}

torch::Tensor SeparableConvImpl::forward(const torch::Tensor& x) {
  return Convolve(pointwise_, Convolve(depthwise_, x));
}

torch::Tensor SeparableConvImpl::Normalised(torch::nn::BatchNorm2d& norm, const torch::Tensor& x) {
  return ConvNorm(pointwise_, norm, Convolve(depthwise_, x));
}

ConvNormReluImpl::ConvNormReluImpl(const torch::nn::Conv2dOptions& options, int first)
    : conv_(register_module(std::to_string(first), torch::nn::Conv2d(options))),
      norm_(register_module(std::to_string(first + 1), torch::nn::BatchNorm2d(options.out_channels()))) {}

torch::Tensor ConvNormReluImpl::forward(const torch::Tensor& x) { return ConvNorm(conv_, norm_, x).relu_(); }

SeparableNormReluImpl::SeparableNormReluImpl(int64_t in, int64_t out, int64_t dilation)
    : conv_(register_module("0", SeparableConv(in, out, dilation))),
      norm_(register_module("1", torch::nn::BatchNorm2d(out))) {}

torch::Tensor SeparableNormReluImpl::forward(const torch::Tensor& x) { return conv_->Normalised(norm_, x).relu_(); }

}  // namespace candor
