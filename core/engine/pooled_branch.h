// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include "core/engine/folded_weights.h"

namespace candor {

// The pooled branch of the pyramid, float32. After its ReLU it is one vector a picture, so that its part of the
// projection is a bias. Thread-safe. Throws c10::Error.
struct PooledBranch {
  PooledBranch(const FoldedWeights& weights, torch::Device device);

  // top [n, in, h, w] NHWC -> the projection's bias for each picture, [n, projected].
  torch::Tensor ProjectionBias(const torch::Tensor& top) const;

  torch::Tensor weight, bias;  // of its own convolution: [in, out], [out]
  torch::Tensor project;       // its columns of the projection: [out, projected]
  torch::Tensor project_bias;  // [projected]
};

// The projection's weights but for those columns.
torch::Tensor ProjectionWithoutPooled(const FoldedWeights& weights);

}  // namespace candor
