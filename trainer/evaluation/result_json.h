// SPDX-License-Identifier: Apache-2.0
//
// results.json: what candor-train evaluate writes and report reads.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainer/evaluation/evaluation_result.h"

namespace candor {

// Indented, ending in a newline. What is not a number is null. The plain keys munc, class_uncertainty, rejection_curve
// and error_auroc repeat the default kind's figures (pooled; classes present), ece, nll and brier those of
// `calibration`; `definitions` says what each figure means.
std::string ResultToJson(const EvaluationResult& result);

// InvalidArgument: not JSON, an unknown, missing, repeated or ill-typed key (the message gives its path), a newer
// format version, or lists whose lengths do not fit the classes. Repeated figures and definitions are not read.
absl::StatusOr<EvaluationResult> ResultFromJson(absl::string_view json);

}  // namespace candor
