// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

namespace candor {

// UpsampledCrossEntropy of losses.h on the CPU: differentiable in `logits` [N, C, h, w] float32. Bilinear upsampling,
// softmax, loss and the gradient back at low resolution run row by row, in the forward pass; the backward pass only
// scales. The result does not depend on the number of threads. Throws c10::Error on other shapes, dtypes or devices, or
// a label that is neither a class nor 255.
torch::Tensor FusedCrossEntropy(const torch::Tensor& logits, const torch::Tensor& labels,
                                const torch::Tensor& class_weights);

}  // namespace candor
