// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "trainer/training/teacher_samples.h"

namespace candor {

// The temperature of a step: `first` for a third of the steps, then falling linearly to 1 over the next third.
double AnnealedTemperature(double first, int64_t step, int64_t steps);

// Negative log-likelihood of softmaxes p_m [M, N, C, h, w] under a Dirichlet with ln a = `log_parameters` [N, C, h, w],
// the mean over members and places (Malinin et al. 2020, equation 9):
//   sum_c lgamma(a_c) - lgamma(sum_c a_c) - sum_c (a_c - 1) mean_m ln p_mc.
// In float64: its terms cancel. Every p must be above 0.
torch::Tensor DirichletLikelihood(const torch::Tensor& log_parameters, const torch::Tensor& softmaxes);

// Ensemble distribution distillation (Malinin et al. 2020, section 4): the student's class scores over T are ln a of a
// Dirichlet under which the members' softmaxes at T, each shrunk by 1e-3 towards uniform, are to be likely; times T^2
// and distillation_weight. T is AnnealedTemperature, so at the end a = exp(score). Plus label_weight times the labels'
// cross-entropy, which is not in the paper; nor is that a place's gradient is divided by 1 + sum_c a_c, the order of
// its curvature in ln a, and does not exceed distillation_weight in a score, a cross-entropy's bound: else it grows
// with a, and plain SGD diverges where members agree.
std::unique_ptr<Objective> MakeDirichletObjective(SegmentationNet net, TrainingPrecision precision,
                                                  torch::Tensor class_weights, std::unique_ptr<TeacherSamples> teacher,
                                                  const StudentOptions& options);

}  // namespace candor
