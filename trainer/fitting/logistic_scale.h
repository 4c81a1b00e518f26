// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "absl/status/statusor.h"

namespace candor {

// Puts scores without a natural range on [0, 1]: sigmoid((u - median) / spread).
struct LogisticScale {
  double median = 0;
  double spread = 1;
};

// The scale at which `values` have sigmoid 0.5 at their median and 0.9 at their 95th percentile, so that half of the
// range is for what is more unsure than half of the pixels. Quantiles, since the tails of energies and densities are
// long: a few wild values change nothing. The share-q quantile of n sorted values is number floor(q (n - 1)).
// FailedPrecondition: no value, one that is not finite, or a 95th percentile that is the median.
absl::StatusOr<LogisticScale> FitLogisticScale(std::vector<float> values);

}  // namespace candor
