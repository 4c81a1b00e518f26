// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <vector>

#include "absl/status/statusor.h"
#include "trainer/training/objective.h"

namespace candor {

// The uncertainty maps of a frozen teacher, as a student is to give them. Thread-compatible.
class TeacherMaps {
 public:
  // options.targets: the kinds, which the teacher gives.
  TeacherMaps(Teacher teacher, const UncertaintyLossOptions& options);

  // images [N, 3, H, W] of a batch -> [N, K, H, W] float32 on their device, as shares of each kind's range. Errors of
  // the predictor.
  absl::StatusOr<torch::Tensor> Of(const torch::Tensor& images) const;

 private:
  absl::StatusOr<std::vector<Segmentation>> Ask(const torch::Tensor& images) const;
  float Scale(UncertaintyKind kind) const;

  const Teacher teacher_;
  const std::vector<UncertaintyKind> kinds_;
  const bool population_stddev_;
};

}  // namespace candor
