// SPDX-License-Identifier: Apache-2.0
//
// The two losses of DUDES (Landgraf et al. 2023, equations 2 and 3), in float32.
#pragma once

#include <torch/torch.h>

#include "trainer/train_options.h"

namespace candor {

// Cross-entropy of scores upsampled by 4 (align_corners): the mean of -ln p_y over the pixels whose label is not 255,
// weighted by `class_weights` [C] where it is defined (divided by the sum of the weights). 0, with a zero gradient,
// where no pixel is labelled.
//
// `logits` [N, C, h, w] float32 or bfloat16, `labels` [N, 4h, 4w] uint8. On the CPU one fused pass computes the loss
// and its gradient; no tensor of classes at full size exists.
torch::Tensor UpsampledCrossEntropy(const torch::Tensor& logits, const torch::Tensor& labels,
                                    const torch::Tensor& class_weights);

// The root of the mean of (ln(1 + q) - ln(1 + z))^2 over the pixels whose `mask` is not 0 (all where it is undefined),
// once over the batch or as the mean of one root an image. 1e-12 below the root keeps its gradient finite. 0 where no
// pixel counts. `prediction` and `target` [N, H, W] float32, `mask` [N, H, W] uint8.
torch::Tensor Rmsle(const torch::Tensor& prediction, const torch::Tensor& target, const torch::Tensor& mask,
                    UncertaintyRoot root);

}  // namespace candor
