// SPDX-License-Identifier: Apache-2.0
//
// Every convolution of the network goes through here, so that a way to have several sets of weights in one network is
// written once and not in each layer.
#pragma once

#include <torch/torch.h>

namespace candor {

// conv(x), by the fastest way there is: dilated depthwise convolutions on the CPU by DepthwiseConv. A convolution of
// Gaussian weights (gaussian_weights.h) is drawn while training and has its means' answer else; one that members share
// (rank_one.h) shows picture i of a batch to member i mod M.
torch::Tensor Convolve(torch::nn::Conv2d& conv, const torch::Tensor& x);

// The convolution of x that `options` describe, by the same way; `bias` may be undefined. Padding is numbers.
torch::Tensor ConvolveWith(const torch::nn::detail::ConvNdOptions<2>& options, const torch::Tensor& x,
                           const torch::Tensor& weight, const torch::Tensor& bias);

}  // namespace candor
