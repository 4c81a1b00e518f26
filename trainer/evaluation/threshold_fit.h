// SPDX-License-Identifier: Apache-2.0
//
// Thresholds on a picture's mean uncertainty that keep a stated error rate: ACCEPT, REVIEW, REJECT.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/model/model_spec.h"

namespace candor {

struct PictureErrors {
  double mean_uncertainty = 0;  // over all pixels, void included: what a server sees
  int64_t wrong = 0;
  int64_t labelled = 0;
};

struct ThresholdFit {
  Calibration::Verdict verdict;
  double accepted = 0;      // share of the pictures with at most accept_max
  double not_rejected = 0;  // with at most review_max
};

// accept_max: the largest mean uncertainty such that the pictures with at most that much have together at most
// `error_rate` wrong pixels among their labelled ones; review_max: the same for `reject_error_rate`. Rounded up to a
// float, so that the picture that sets a threshold stays below it.
// InvalidArgument: not 0 <= error_rate <= reject_error_rate <= 1, or counts or a mean that make no sense.
// FailedPrecondition: no labelled pixel at all, or no threshold keeps `error_rate`.
absl::StatusOr<ThresholdFit> FitThresholds(absl::Span<const PictureErrors> pictures, UncertaintyKind kind,
                                           double error_rate, double reject_error_rate);

}  // namespace candor
