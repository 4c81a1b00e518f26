// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "trainer/training/teacher_samples.h"

namespace candor {

// Cross-entropy of the labels plus options.weight times C times RMSLE of the sigmoid of the head's C channels to the
// sample deviation (M - 1) of each class's softmax over the teacher's members, over all C maps together: C, so that a
// class's map has about the part that the one map of a DUDES student has; without it those of rare classes stay at 0.
// At the resolution of the scores: a place stands for the pixel it lies nearest to where options.pixels leaves some
// out.
//
// Inspired by Holder and Shafique 2021, whose students learn the whole map of deviations too; their losses are not
// public.
std::unique_ptr<Objective> MakeDenseStddevObjective(SegmentationNet net, TrainingPrecision precision,
                                                    torch::Tensor class_weights,
                                                    std::unique_ptr<TeacherSamples> teacher,
                                                    const UncertaintyLossOptions& options);

}  // namespace candor
