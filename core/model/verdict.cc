// SPDX-License-Identifier: Apache-2.0
#include "core/model/verdict.h"

namespace candor {

absl::string_view PictureVerdictName(PictureVerdict verdict) {
  switch (verdict) {
    case PictureVerdict::kAccept:
      return "accept";
    case PictureVerdict::kReview:
      return "review";
    case PictureVerdict::kReject:
      return "reject";
  }
  return "unknown";
}

PictureVerdict JudgePicture(const Calibration::Verdict& thresholds, float mean_uncertainty) {
  if (mean_uncertainty <= thresholds.accept_max) return PictureVerdict::kAccept;
  if (mean_uncertainty <= thresholds.review_max) return PictureVerdict::kReview;
  return PictureVerdict::kReject;
}

}  // namespace candor
