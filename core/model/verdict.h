// SPDX-License-Identifier: Apache-2.0
//
// What a calibrated model says about a whole picture.
#pragma once

#include "absl/strings/string_view.h"
#include "core/model/model_spec.h"

namespace candor {

enum class PictureVerdict { kAccept, kReview, kReject };

absl::string_view PictureVerdictName(PictureVerdict verdict);  // "accept", "review", "reject"

// `mean_uncertainty` is the picture's mean of `thresholds.kind`, in its unit. NaN is rejected.
PictureVerdict JudgePicture(const Calibration::Verdict& thresholds, float mean_uncertainty);

}  // namespace candor
