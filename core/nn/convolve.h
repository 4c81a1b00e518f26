// SPDX-License-Identifier: Apache-2.0
//
// Every convolution of the network goes through here, so that a way to have several sets of weights in one network is
// written once and not in each layer.
#pragma once

#include <torch/torch.h>

namespace candor {

// conv(x), by the fastest way there is: dilated depthwise convolutions on the CPU by DepthwiseConv.
torch::Tensor Convolve(torch::nn::Conv2d& conv, const torch::Tensor& x);

}  // namespace candor
