// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "trainer/train_options.h"
#include "trainer/training/train.h"

namespace candor {

struct SwagOptions {
  int index = 0;       // of the member
  int samples = 10;    // draws, 2 to 128
  double scale = 0.5;  // of the covariance: 0.5 is the paper's equation 1; above 0, at most 10
  std::string out;     // the bundle of the draws
};

// Draws networks from the Gaussian of a finished member's snapshots, those of the tail of schedule constant_tail, and
// writes them as an ensemble. Batch norm statistics of each draw are measured on the crops of the training's first
// epoch, augmentation included, as the training's own statistics were. Same options, same bundle (on a CPU with the
// same number of threads). kStopped: nothing is written, the same call begins anew. FailedPrecondition: the member is
// not finished, has fewer than two snapshots, was trained with another configuration, or there is no such device.
// InvalidArgument: options out of range. AlreadyExists: a bundle is there. Errors of ReadSnapshot, data and WriteModel.
// No exception leaves it.
absl::StatusOr<RunOutcome> SampleSwag(const TrainOptions& options, const std::string& run, const SwagOptions& swag,
                                      const std::function<bool()>& stop_requested);

}  // namespace candor
