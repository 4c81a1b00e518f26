// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <optional>

#include "absl/status/status.h"
#include "core/nn/segmentation_net.h"
#include "trainer/train_options.h"
#include "trainer/training/checkpoint.h"
#include "trainer/training/optimizer.h"

namespace candor {

// Everything that a step changes: weights, momentum, their moving average, and where the run stands. Thread-compatible.
class TrainingState {
 public:
  // Takes `net`, built from `spec`, moves it to `device` and lays its convolutions out as NHWC.
  TrainingState(const ModelSpec& spec, SegmentationNet net, const TrainOptions& options, torch::Device device);

  SegmentationNet& net() { return net_; }
  MomentumSgd& optimizer() { return optimizer_; }
  // The weights that are validated and kept: the average if there is one.
  const SegmentationNet& kept() const { return average_.has_value() ? *average_ : net_; }
  // Moves the average towards the weights, batch norm statistics included.
  void UpdateAverage();

  // OutOfRange: a weight or momentum that is not finite, named.
  absl::Status CheckFinite() const;

  Checkpoint ToCheckpoint() const;
  // Takes over a checkpoint. DataLoss: it lacks a tensor, or has one of another shape.
  absl::Status Restore(const Checkpoint& checkpoint);

  int64_t step = 0;
  double best_miou = -1;
  int64_t best_step = -1;
  int64_t validated_step = 0;

 private:
  SegmentationNet net_;
  const double ema_decay_;
  MomentumSgd optimizer_;
  std::optional<SegmentationNet> average_;
};

}  // namespace candor
