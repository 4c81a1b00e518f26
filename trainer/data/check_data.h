// SPDX-License-Identifier: Apache-2.0
//
// Everything that could go wrong with a data set, found before a long training does.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "trainer/data/data_report.h"

namespace candor {

// Reads every file of every split of `location` (as for OpenDataset) on a few threads. A wrong file or split is an
// error in the report; what fails here is only a location that cannot be opened or holds no split.
absl::StatusOr<DataReport> CheckData(const std::string& location);

}  // namespace candor
