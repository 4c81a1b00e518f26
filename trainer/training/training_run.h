// SPDX-License-Identifier: Apache-2.0
//
// The training loop: steps, validation, checkpoints, exact restart, and the finished model.
#pragma once

#include <torch/torch.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/model/model_spec.h"
#include "core/nn/segmentation_net.h"
#include "core/uncertainty/make_predictor.h"
#include "trainer/data/dataset.h"
#include "trainer/train_options.h"
#include "trainer/training/objective.h"
#include "trainer/training/train.h"

namespace candor {

// One network to train.
struct TrainingJob {
  std::string name;          // for people: "member 3"
  std::string folder;        // checkpoints, best.safetensors, snapshots/
  std::string model_folder;  // the finished bundle
  ModelSpec spec;            // what the bundle will say; known answer and weights are filled in
  uint64_t stream = 0;       // parts the randomness of the runs that share a seed: the member's index
  // Called once, before the first step, on the freshly initialised network: may replace weights.
  std::function<absl::Status(SegmentationNet& net)> initialise;
  bool is_encoder_frozen = false;  // it stays what it is after `initialise`
  std::function<std::unique_ptr<Objective>(SegmentationNet net, torch::Tensor class_weights)> make_objective;
  // Adds to the options' identity: the teacher's digest, for a student.
  std::vector<std::pair<std::string, std::string>> identity;
};

// Where it computes.
struct TrainingDevice {
  torch::Device device = torch::kCPU;
  ReducerFactory make_reducer;  // for validation
};

// Trains from the start or from the newest checkpoint, whichever there is; a finished run is done at once. On the CPU a
// run that was interrupted any number of times, at any moment, ends with the same bits as one that was not (with the
// same number of threads). Device and thread count are set before. May throw c10::Error.
// FailedPrecondition: a checkpoint of another configuration, naming the difference, or another process in the folder.
// InvalidArgument: data or configuration that cannot be trained on. OutOfRange: a loss or weights that are not finite.
// AlreadyExists: a model is there without a checkpoint. DataLoss: a file that cannot be read or written. In each case
// the last good checkpoint stays.
absl::StatusOr<RunOutcome> Train(const TrainOptions& options, const TrainingJob& job, const TrainingDevice& device,
                                 const RunControl& control);

// What a training is, as (field, value), to be compared with that of its checkpoints: the options' identity, the job's,
// its stream and the digest of the training split. Errors of Fingerprint.
absl::StatusOr<std::vector<std::pair<std::string, std::string>>> IdentityOf(const TrainOptions& options,
                                                                            const TrainingJob& job,
                                                                            const Dataset& train);

}  // namespace candor
