// SPDX-License-Identifier: Apache-2.0
//
// Weights that a run keeps on its way, for ensembles and averages of them: FOLDER/snapshots/step-STEP.safetensors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/model/safetensors.h"

namespace candor {

// Writes the weights after `step` steps, and removes all but the newest `keep` (>= 1) files. DataLoss: not written.
absl::Status WriteSnapshot(const std::string& folder, int64_t step, const TensorFile& weights, int keep);

// The folder's snapshots, the oldest first; empty if there are none.
std::vector<std::string> ListSnapshots(const std::string& folder);

// Reads one of them. Errors name the file: NotFound and DataLoss of reading, InvalidArgument of its format.
absl::StatusOr<TensorFile> ReadSnapshot(const std::string& path);

}  // namespace candor
