// SPDX-License-Identifier: Apache-2.0
//
// What `candor train` says.
#pragma once

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "client/training_client.h"

namespace candor {

// A row a run.
void PrintRuns(const std::vector<TrainingRun>& runs, std::ostream& out);
// One run: a line about it, then a row a training.
void PrintRun(const TrainingRun& run, std::ostream& out);

// "street [bar] 41 %  running  member 3 52 %, member 4 48 %  31.2 images/s", for a line that changes.
std::string ProgressLine(const TrainingRun& run);

// The keys are documented in `candor train --help`.
nlohmann::ordered_json TrainingRunJson(const TrainingRun& run);

}  // namespace candor
