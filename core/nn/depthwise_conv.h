// SPDX-License-Identifier: Apache-2.0
//
// Dilated depthwise convolution on the CPU. ATen leaves it to a GEMM fallback, forward and backward.
#pragma once

#include <torch/torch.h>

namespace candor {

// Whether DepthwiseConv takes this input: on the CPU, fp32 or bfloat16.
bool HasDepthwiseConv(const torch::Tensor& x);

// conv2d(x, weight) with stride 1, dilation `dilation`, as much padding and a group for each channel.
//
//   x        [N, C, H, W] on the CPU, fp32 or bfloat16; under autocast read as its lower precision
//   weight   [C, 1, 3, 3]; products and sums are fp32, of fp32 weights
//   returns  [N, C, H, W], channels last, of the type that was read
//
// Differentiable once. Each sum has its order whatever the number of threads: results are the same bits.
torch::Tensor DepthwiseConv(const torch::Tensor& x, const torch::Tensor& weight, int64_t dilation);

// The same for inference, of weights that are prepared: x of a type that HasDepthwiseConv, channels last, and `taps`
// from DepthwiseTaps. Thread-safe; rows are shared out among Torch's threads.
torch::Tensor DepthwiseConvByTaps(const torch::Tensor& x, const torch::Tensor& taps, int64_t dilation);

// A weight [C, 1, 3, 3] as the kernels take it: [9, C] fp32.
torch::Tensor DepthwiseTaps(const torch::Tensor& weight);

}  // namespace candor
