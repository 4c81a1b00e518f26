// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

namespace candor {

// A depthwise 3x3 convolution of stride 1, padding = dilation, without bias. Thread-safe.
class DepthwiseLayer {
 public:
  DepthwiseLayer() = default;
  // `weight` [channels, 1, 3, 3] float32.
  DepthwiseLayer(const torch::Tensor& weight, int dilation);

  // x [n, channels, h, w], NHWC, float32 or bfloat16: a new tensor like it. Rows are shared out among Torch's threads.
  torch::Tensor Run(const torch::Tensor& x) const;

 private:
  torch::Tensor weight_;  // [9, channels] float32
  int dilation_ = 1;
};

}  // namespace candor
