// SPDX-License-Identifier: Apache-2.0
#include "core/nn/convolve.h"

#include "core/nn/depthwise_conv.h"

namespace candor {
namespace {

// Without dilation oneDNN has a kernel of its own.
bool IsDilatedDepthwise(const torch::nn::detail::ConvNdOptions<2>& options) {
  return options.groups() > 1 && options.groups() == options.in_channels() && options.dilation()->at(0) > 1;
}

}  // namespace

torch::Tensor Convolve(torch::nn::Conv2d& conv, const torch::Tensor& x) {
  if (IsDilatedDepthwise(conv->options) && HasDepthwiseConv(x)) {
    return DepthwiseConv(x, conv->weight, conv->options.dilation()->at(0));
  }
  return conv(x);
}

}  // namespace candor
