// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/temperature_fit.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace candor {
namespace {

constexpr double kTolerance = 1e-3;  // of the logarithm

absl::StatusOr<double> Evaluate(absl::FunctionRef<double(double)> nll, double log_temperature) {
  const double value = nll(std::exp(log_temperature));
  if (std::isfinite(value)) return value;
  return absl::FailedPreconditionError(absl::StrCat("temperature: the negative log-likelihood must be finite, is ",
                                                    value, " at ", std::exp(log_temperature)));
}

// Two equal values of a convex function have a lower one between them, unless it is flat, as where every pixel is right
// and every probability rounds to 1.
absl::Status CheckNotFlat(absl::FunctionRef<double(double)> nll, double left, double right, double value) {
  ASSIGN_OR_RETURN(const double between, Evaluate(nll, (left + right) / 2));
  if (between < value) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("temperature: the negative log-likelihood must have one minimum, is ", value, " from ",
                   std::exp(left), " to ", std::exp(right)));
}

}  // namespace

absl::StatusOr<TemperatureFit> FitTemperature(absl::FunctionRef<double(double)> nll, TemperatureRange range) {
  if (!(range.min > 0 && range.min < range.max && std::isfinite(range.max))) {
    return absl::InvalidArgumentError(
        absl::StrCat("temperature: must search 0 < min < max, are ", range.min, " and ", range.max));
  }
  const double golden = (std::sqrt(5.0) - 1) / 2;
  const double first = std::log(range.min);
  const double last = std::log(range.max);
  double low = first;
  double high = last;
  double left = high - golden * (high - low);
  double right = low + golden * (high - low);
  ASSIGN_OR_RETURN(double nll_left, Evaluate(nll, left));
  ASSIGN_OR_RETURN(double nll_right, Evaluate(nll, right));
  while (high - low > 2 * kTolerance) {
    if (nll_left == nll_right) RETURN_IF_ERROR(CheckNotFlat(nll, left, right, nll_left));
    if (nll_left < nll_right) {
      high = right;
      right = left;
      nll_right = nll_left;
      left = high - golden * (high - low);
      ASSIGN_OR_RETURN(nll_left, Evaluate(nll, left));
    } else {
      low = left;
      left = right;
      nll_left = nll_right;
      right = low + golden * (high - low);
      ASSIGN_OR_RETURN(nll_right, Evaluate(nll, right));
    }
  }
  if (low == first || high == last) {
    return absl::FailedPreconditionError(absl::StrCat("temperature: must have its minimum inside [", range.min, ", ",
                                                      range.max, "], the negative log-likelihood falls up to ",
                                                      low == first ? range.min : range.max));
  }
  TemperatureFit fit;
  fit.temperature = std::exp(nll_left < nll_right ? left : right);
  fit.nll = nll_left < nll_right ? nll_left : nll_right;
  ASSIGN_OR_RETURN(fit.nll_before, Evaluate(nll, 0));
  return fit;
}

}  // namespace candor
