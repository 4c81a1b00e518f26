// SPDX-License-Identifier: Apache-2.0
//
// What the objectives of students share that learn from a teacher's predictions one by one.
#pragma once

#include <functional>
#include <memory>

#include "trainer/training/teacher_samples.h"

namespace candor {

// The teacher's part of the loss, a scalar: of its class scores [M, N, C, h, w] and the student's scores of `batch`.
using SampleLoss =
    std::function<torch::Tensor(const torch::Tensor& samples, const Scores& scores, const TensorBatch& batch)>;

// distillation_weight * `loss` + label_weight * the labels' cross-entropy; without a label_weight the cross-entropy is
// computed for the log only. `net` and `class_weights` (may be undefined) are shared with the caller.
std::unique_ptr<Objective> MakeSampleObjective(SegmentationNet net, TrainingPrecision precision,
                                               torch::Tensor class_weights, std::unique_ptr<TeacherSamples> teacher,
                                               const StudentOptions& options, SampleLoss loss);

}  // namespace candor
