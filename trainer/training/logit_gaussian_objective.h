// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "core/uncertainty/logit_samples.h"
#include "trainer/training/teacher_samples.h"

namespace candor {

// Negative log-likelihood of scores [M, N, C, h, w] under Gaussians with means `mean` [N, C, h, w] and the covariance
// of `spread`, divided by C: the mean over members and places. The low-rank part costs matrices of R x R a place, by
// Woodbury's identity and the matrix determinant lemma.
torch::Tensor GaussianLikelihood(const torch::Tensor& mean, const LogitSpread& spread, const torch::Tensor& samples);

// distillation_weight times the likelihood of the members' scores, each centred over classes first (a softmax does not
// see the shift, a Gaussian would), plus label_weight times the cross-entropy of the labels with the mean. With a head
// of C channels as in Shen et al. 2021 ("Real-time uncertainty estimation in computer vision via uncertainty-aware
// distribution distillation"); with C (1 + R) a structured covariance in the manner of Simpson et al. 2022, between
// classes at one place rather than between places.
std::unique_ptr<Objective> MakeLogitGaussianObjective(SegmentationNet net, TrainingPrecision precision,
                                                      torch::Tensor class_weights,
                                                      std::unique_ptr<TeacherSamples> teacher,
                                                      const StudentOptions& options);

}  // namespace candor
