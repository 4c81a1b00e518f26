// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/threshold_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

absl::Status CheckInput(absl::Span<const PictureErrors> pictures, double error_rate, double reject_error_rate) {
  if (!(0 <= error_rate && error_rate <= reject_error_rate && reject_error_rate <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("error rates: must be 0 <= accept <= reject <= 1, are ", error_rate, " and ", reject_error_rate));
  }
  for (size_t i = 0; i < pictures.size(); ++i) {
    const PictureErrors& picture = pictures[i];
    if (!std::isfinite(picture.mean_uncertainty) || picture.wrong < 0 || picture.wrong > picture.labelled) {
      return absl::InvalidArgumentError(
          absl::StrCat("pictures[", i, "]: must have a finite mean uncertainty and 0 <= wrong <= labelled, has ",
                       picture.mean_uncertainty, ", ", picture.wrong, " and ", picture.labelled));
    }
  }
  return absl::OkStatus();
}

float RoundUp(double value) {
  const auto rounded = static_cast<float>(value);
  return rounded < value ? std::nextafter(rounded, std::numeric_limits<float>::infinity()) : rounded;
}

// How many of the sorted pictures may be taken; pictures of one mean go together. 0: none.
size_t LargestPrefix(const std::vector<PictureErrors>& sorted, double error_rate) {
  size_t best = 0;
  double wrong = 0;
  double labelled = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    wrong += static_cast<double>(sorted[i].wrong);
    labelled += static_cast<double>(sorted[i].labelled);
    const bool tied = i + 1 < sorted.size() && sorted[i + 1].mean_uncertainty == sorted[i].mean_uncertainty;
    if (!tied && labelled > 0 && wrong <= error_rate * labelled) best = i + 1;
  }
  return best;
}

}  // namespace

absl::StatusOr<ThresholdFit> FitThresholds(absl::Span<const PictureErrors> pictures, UncertaintyKind kind,
                                           double error_rate, double reject_error_rate) {
  RETURN_IF_ERROR(CheckInput(pictures, error_rate, reject_error_rate));
  std::vector<PictureErrors> sorted(pictures.begin(), pictures.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const PictureErrors& a, const PictureErrors& b) { return a.mean_uncertainty < b.mean_uncertainty; });
  const size_t accepted = LargestPrefix(sorted, error_rate);
  if (accepted == 0) {
    const auto first = std::find_if(sorted.begin(), sorted.end(), [](const auto& p) { return p.labelled > 0; });
    if (first == sorted.end()) {
      return absl::FailedPreconditionError(
          absl::StrCat("thresholds: must have labelled pixels, none in ", sorted.size(), " pictures"));
    }
    return absl::FailedPreconditionError(absl::StrCat(
        "thresholds: no mean uncertainty keeps an error rate of at most ", error_rate,
        "; the most certain picture has ", static_cast<double>(first->wrong) / static_cast<double>(first->labelled)));
  }
  const size_t not_rejected = LargestPrefix(sorted, reject_error_rate);
  const auto all = static_cast<double>(sorted.size());
  ThresholdFit fit;
  fit.verdict.kind = kind;
  fit.verdict.accept_max = RoundUp(sorted[accepted - 1].mean_uncertainty);
  fit.verdict.review_max = RoundUp(sorted[not_rejected - 1].mean_uncertainty);
  fit.verdict.error_rate = static_cast<float>(error_rate);
  fit.verdict.reject_error_rate = static_cast<float>(reject_error_rate);
  fit.accepted = static_cast<double>(accepted) / all;
  fit.not_rejected = static_cast<double>(not_rejected) / all;
  return fit;
}

}  // namespace candor
