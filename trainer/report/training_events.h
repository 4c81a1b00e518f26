// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "trainer/report/report.h"

namespace candor {

// The training curves below a run's folder: its members' and its student's events.jsonl, those that are there. A line
// that is no event is left out: the last one may be half written. NotFound: the folder has no events.jsonl anywhere.
absl::StatusOr<std::vector<TrainingCurve>> ReadTrainingCurves(const std::string& run);

}  // namespace candor
