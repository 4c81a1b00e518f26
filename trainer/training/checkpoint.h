// SPDX-License-Identifier: Apache-2.0
//
// Checkpoints of a run: one safetensors file each, whose metadata hold everything that is not a tensor. Written
// atomically; the last two are kept, so that a damaged one costs little.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/model/safetensors.h"

namespace candor {

struct Checkpoint {
  int64_t step = 0;  // steps done
  double best_miou = -1;
  int64_t best_step = -1;
  int64_t validated_step = 0;                                 // the last validation was after so many steps
  std::vector<std::pair<std::string, std::string>> identity;  // of the run: field, value
  std::vector<NamedTensor> tensors;
};

// Writes FOLDER/checkpoint-STEP.safetensors; of the folder's others only the one before it stays. DataLoss: not
// written; the others stay.
absl::Status SaveCheckpoint(const std::string& folder, const Checkpoint& checkpoint);

// The newest checkpoint that is whole: a damaged one is logged and passed over. Nothing if the folder has none.
// DataLoss: there are some, but none is whole.
absl::StatusOr<std::optional<Checkpoint>> LoadNewestCheckpoint(const std::string& folder);

// FailedPrecondition naming the first field whose value differs, with both values.
absl::Status CheckSameRun(const std::vector<std::pair<std::string, std::string>>& saved,
                          const std::vector<std::pair<std::string, std::string>>& wanted);

}  // namespace candor
