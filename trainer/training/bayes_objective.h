// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <memory>

#include "trainer/training/objective.h"

namespace candor {

// Bayes by Backprop (Blundell et al. 2015): cross-entropy of a network whose Gaussian weights are drawn by local
// reparameterisation, plus its divergence from the prior. Equation 8's minibatch cost with the divergence shared
// equally among the M batches of an epoch, and divided by the n labelled pixels of the batch, since the cross-entropy
// is their mean:
//
//   total = cross-entropy + kl_weight warm-up KL(q || P) / (M n)
//
// Warm-up goes from 0 at the first step linearly to 1 after kl_warmup of the steps. A batch without a labelled pixel
// says nothing of either part. As MakeSegmentationObjective else.
std::unique_ptr<Objective> MakeBayesObjective(SegmentationNet net, TrainingPrecision precision,
                                              torch::Tensor class_weights, const BayesOptions& options);

}  // namespace candor
