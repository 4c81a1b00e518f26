// SPDX-License-Identifier: Apache-2.0
//
// What the objectives of students share.
#pragma once

#include "trainer/training/objective.h"

namespace candor {

// The network's scores of a batch, with convolutions in bfloat16 where `precision` says so.
Scores ForwardIn(TrainingPrecision precision, SegmentationNet& net, const torch::Tensor& images);

// 1 where a pixel counts, 0 elsewhere: [N, H, W] uint8; undefined where all count.
torch::Tensor CountedPixels(const TensorBatch& batch, UncertaintyPixels pixels);

}  // namespace candor
