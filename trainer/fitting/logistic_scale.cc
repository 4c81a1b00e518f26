// SPDX-License-Identifier: Apache-2.0
#include "trainer/fitting/logistic_scale.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace candor {
namespace {

double Quantile(double share, std::vector<float>* values) {
  const auto rank = static_cast<size_t>(share * static_cast<double>(values->size() - 1));
  const auto place = values->begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(values->begin(), place, values->end());
  return *place;
}

}  // namespace

absl::StatusOr<LogisticScale> FitLogisticScale(std::vector<float> values) {
  if (values.empty()) return absl::FailedPreconditionError("scale: must have labelled pixels, has none");
  for (const float value : values) {
    if (!std::isfinite(value)) {
      return absl::FailedPreconditionError(absl::StrCat("scale: scores must be finite, one is ", value));
    }
  }
  LogisticScale scale;
  scale.median = Quantile(0.5, &values);
  const double high = Quantile(0.95, &values);
  scale.spread = (high - scale.median) / std::log(9.0);  // the sigmoid of ln 9 is 0.9
  if (scale.spread > 0) return scale;
  return absl::FailedPreconditionError(absl::StrCat("scale: the 95th percentile of ", values.size(),
                                                    " scores must be above their median, both are ", high));
}

}  // namespace candor
