// SPDX-License-Identifier: Apache-2.0
//
// Results for tests of the report: DUDES' teacher and student on Cityscapes. Intersection over union and class-wise
// uncertainty are those of the paper's tables 1 and 2, the rejection curves those of its figure 4; the rest is made up,
// smooth and plausible.
#pragma once

#include "trainer/evaluation/evaluation_result.h"

namespace candor {

EvaluationResult SampleTeacher();
EvaluationResult SampleStudent();

}  // namespace candor
