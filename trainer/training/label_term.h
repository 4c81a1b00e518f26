// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "trainer/training/objective.h"

namespace candor {

// Sets losses->segmentation to the cross-entropy of the labels and losses->total to
// distillation_weight * losses->uncertainty + label_weight * losses->segmentation. Without a label_weight the
// cross-entropy is computed for the log only.
void AddLabels(const torch::Tensor& logits, const torch::Tensor& labels, const torch::Tensor& class_weights,
               const StudentOptions& options, Losses* losses);

}  // namespace candor
