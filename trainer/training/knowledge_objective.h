// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "trainer/training/teacher_samples.h"

namespace candor {

// T^2 times the cross-entropy of softmax(scores / T) with the members' mean softmax at T (Hinton et al. 2015, sections
// 2 and 2.1: T^2 keeps the gradient's size whatever T is), the mean over all places of the score map, void and padding
// included, times distillation_weight; plus label_weight times the cross-entropy of the labels.
std::unique_ptr<Objective> MakeKnowledgeObjective(SegmentationNet net, TrainingPrecision precision,
                                                  torch::Tensor class_weights, std::unique_ptr<TeacherSamples> teacher,
                                                  const StudentOptions& options);

}  // namespace candor
