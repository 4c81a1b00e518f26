// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include "absl/status/statusor.h"
#include "core/model/model_spec.h"
#include "core/uncertainty/predictor.h"
#include "trainer/data/dataset.h"

namespace candor {

struct ValidationFigures {
  double miou = 0;
  double accuracy = 0;
  double munc = 0;  // pooled, of the predictor's default kind
};

// Runs a predictor, which is on `device`, over a split, whole pictures at their own size as in serving. Errors of Read
// and Predict; Cancelled once `cancelled` (may be null) says so.
absl::StatusOr<ValidationFigures> Validate(Predictor* predictor, const Dataset& dataset, torch::Device device,
                                           const Normalisation& normalisation, const CancelCheck& cancelled);

}  // namespace candor
