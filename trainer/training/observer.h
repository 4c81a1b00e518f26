// SPDX-License-Identifier: Apache-2.0
//
// Who wants to know how training goes: event log, progress bar, metrics.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace candor {

struct RunStart {
  std::string name;        // "member 3", "student"
  int64_t steps = 0;       // in all
  int64_t first_step = 0;  // 0, or where a checkpoint goes on
  int64_t steps_per_epoch = 0;
  int epochs = 0;
};

struct StepRecord {
  int64_t step = 0;  // steps done, this one included
  double epoch = 0;  // epochs done
  int images = 0;    // of this step
  double loss = 0;
  double segmentation_loss = 0;
  double uncertainty_loss = 0;  // 0 for members
  double learning_rate = 0;     // of the encoder
  double seconds = 0;           // this step took, waiting for data included
  double data_seconds = 0;      // of which it waited for data
};

struct ValidationRecord {
  int64_t step = 0;
  double epoch = 0;
  double miou = 0;
  double accuracy = 0;
  double munc = 0;  // of the model's default kind
  double best_miou = 0;
  double seconds = 0;
};

// Thread-compatible. An error ends the run.
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;
  virtual absl::Status OnStart(const RunStart& start) = 0;
  virtual absl::Status OnStep(const StepRecord& record) = 0;
  virtual absl::Status OnValidation(const ValidationRecord& record) = 0;
  // `outcome`: "done", "stopped", or an error's message.
  virtual absl::Status OnEnd(const std::string& outcome) = 0;
};

}  // namespace candor
