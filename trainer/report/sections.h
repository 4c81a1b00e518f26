// SPDX-License-Identifier: Apache-2.0
//
// The report's sections as HTML, each from its heading on. The results must have passed CheckResult.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trainer/report/report.h"

namespace candor {

// InvalidArgument: a list of the result has not one entry a class, or a curve's lists differ in length.
absl::Status CheckResult(const EvaluationResult& result);

std::string SummarySection(const ReportInput& input);
// Tables 1 and 2 of DUDES: teacher and student class by class; and each other model.
std::string ClassSection(const ReportInput& input);
// Which kind of uncertainty finds errors and unknown objects, and how well confidence is calibrated.
std::string DetectionSection(const ReportInput& input);
std::string FigureSection(const ReportInput& input);
// Empty without training curves.
std::string TrainingSection(const ReportInput& input);
// Errors as RenderReport.
absl::StatusOr<std::string> PictureSection(const ReportInput& input);
// Pictures that all models on the same data have files of, each by every model. Errors as RenderReport.
absl::StatusOr<std::string> SideBySideSection(const ReportInput& input);
std::string DefinitionSection(const ReportInput& input);

}  // namespace candor
