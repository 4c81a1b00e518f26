// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"
#include "trainer/train_options.h"
#include "trainer/training/training_run.h"

namespace candor {

// Chooses device, threads and allocator of this process for training, as the options say. FailedPrecondition: no such
// device.
absl::StatusOr<TrainingDevice> PrepareTraining(const TrainOptions& options);

}  // namespace candor
