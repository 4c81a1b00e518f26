// SPDX-License-Identifier: Apache-2.0
//
// What training minimises.
#pragma once

#include <torch/torch.h>

#include <memory>

#include "absl/status/statusor.h"
#include "core/nn/segmentation_net.h"
#include "core/uncertainty/predictor.h"
#include "trainer/train_options.h"

namespace candor {

// A batch on the training device, and where in its run it stands.
struct TensorBatch {
  torch::Tensor images;   // [N, 3, H, W] float32, normalised, channels last
  torch::Tensor labels;   // [N, H, W] uint8, a class or 255
  torch::Tensor padding;  // [N, H, W] uint8, 1 outside the picture
  int64_t step = 0;       // from 0, of `steps` in the run
  int64_t steps = 1;
  int64_t steps_per_epoch = 1;
};

struct Losses {
  torch::Tensor total;         // a scalar with a gradient
  torch::Tensor segmentation;  // cross-entropy; undefined where labels are not looked at
  torch::Tensor uncertainty;   // of a student; undefined else
};

// Thread-compatible. May throw c10::Error.
class Objective {
 public:
  virtual ~Objective() = default;
  virtual absl::StatusOr<Losses> Compute(const TensorBatch& batch) = 0;
};

// Cross-entropy alone, for members. `net` and `class_weights` (may be undefined) are shared with the caller.
std::unique_ptr<Objective> MakeSegmentationObjective(SegmentationNet net, TrainingPrecision precision,
                                                     torch::Tensor class_weights);

// A frozen teacher, and how many predictions it makes its mean of.
struct Teacher {
  std::unique_ptr<Predictor> predictor;
  int predictions = 1;
  int classes = 0;
};

// DUDES: cross-entropy plus RMSLE of each learned map to the teacher's, on the same crop (section 3.2).
std::unique_ptr<Objective> MakeDistillationObjective(SegmentationNet net, TrainingPrecision precision,
                                                     torch::Tensor class_weights, Teacher teacher,
                                                     const UncertaintyLossOptions& options);

}  // namespace candor
