// SPDX-License-Identifier: Apache-2.0
//
// Temperature scaling (Guo et al. 2017): the one number that class scores are divided by.
#pragma once

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

namespace candor {

struct TemperatureRange {
  double min = 0.05;
  double max = 20;
};

struct TemperatureFit {
  double temperature = 1;
  double nll = 0;         // at `temperature`
  double nll_before = 0;  // at 1
};

// The temperature with the least `nll`, to 0.1 %: a golden-section search on its logarithm, 18 calls for the default
// range and one at 1. `nll` (mean negative log-likelihood of the truth) has one minimum: it is convex in 1 /
// temperature for one softmax. InvalidArgument: not 0 < min < max. FailedPrecondition: `nll` is not finite, falls up to
// an end of the range (every pixel right, say), or is flat, so there is no minimum to be found.
absl::StatusOr<TemperatureFit> FitTemperature(absl::FunctionRef<double(double temperature)> nll,
                                              TemperatureRange range = {});

}  // namespace candor
