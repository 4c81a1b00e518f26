// SPDX-License-Identifier: Apache-2.0
//
// Which loss a student of a configuration has, and what that needs of its teacher.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "core/model/bundle.h"
#include "trainer/training/objective.h"
#include "trainer/training/teacher_samples.h"
#include "trainer/training/training_run.h"

namespace candor {

// One of the two is loaded, by the student's method.
struct StudentTeacher {
  Teacher maps;                             // for what learns uncertainty maps
  std::unique_ptr<TeacherSamples> samples;  // for what learns from predictions one by one; with options' teacher_cache
};

// The teacher of `bundle` for options.student.method. InvalidArgument: the bundle cannot teach it. Else the errors of
// MakePredictor, and of the data set whose digest a teacher_cache needs. May throw c10::Error.
absl::StatusOr<StudentTeacher> LoadTeacher(const TrainOptions& options, const Bundle& bundle,
                                           const TrainingDevice& device);

// `net` and `class_weights` (may be undefined) are shared with the caller.
std::unique_ptr<Objective> MakeStudentObjective(const TrainOptions& options, SegmentationNet net,
                                                torch::Tensor class_weights, StudentTeacher teacher);

}  // namespace candor
