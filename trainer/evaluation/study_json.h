// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "trainer/evaluation/evaluation_result.h"

namespace candor {

// One model of a study and what was found.
struct StudyRow {
  std::string name;
  EvaluationResult result;
};

// The figures of the paper's Table 4 and Figure 5, a row a model: name, members, miou, munc, accuracy, error AUROC of
// the default kind. As JSON, {"study": NAME, "data": ..., "split": ..., "rows": [...]}, ending in a newline.
std::string StudyToJson(const std::string& study, const std::vector<StudyRow>& rows);

// The same as an aligned table.
std::string StudyToText(const std::vector<StudyRow>& rows);

}  // namespace candor
