// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/label_term.h"

#include "trainer/training/losses.h"

namespace candor {

void AddLabels(const torch::Tensor& logits, const torch::Tensor& labels, const torch::Tensor& class_weights,
               const StudentOptions& options, Losses* losses) {
  const bool counts = options.label_weight > 0;
  losses->segmentation = UpsampledCrossEntropy(counts ? logits : logits.detach(), labels, class_weights);
  losses->total = options.distillation_weight * losses->uncertainty;
  if (counts) losses->total = losses->total + options.label_weight * losses->segmentation;
}

}  // namespace candor
