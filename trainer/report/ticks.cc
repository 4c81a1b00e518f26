// SPDX-License-Identifier: Apache-2.0
#include "trainer/report/ticks.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "absl/strings/str_format.h"
#include "trainer/report/html.h"

namespace candor {
namespace {

// Ends of a range count as multiples of the step although their quotient is off by rounding.
constexpr double kRounding = 1e-9;

std::string Label(double value, double step) {
  if (std::abs(value) < step / 2) return "0";
  if (step < 0.9e-5 || std::abs(value) >= 1e9) return absl::StrFormat("%g", value);
  const int digits = std::max(0, -static_cast<int>(std::floor(std::log10(step) + kRounding)));
  if (digits == 0 && std::abs(value) >= 10000) return Count(std::llround(value));
  return Decimal(value, digits);
}

}  // namespace

double NiceStep(double low, double high, int count) {
  const double least = (high - low) / count;
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * (1 - kRounding)) return factor * power;
  }
  return 10 * power;
}

Ticks LinearTicks(double low, double high, int count) {
  const double step = NiceStep(low, high, count);
  Ticks ticks;
  const auto first = static_cast<int64_t>(std::ceil(low / step - kRounding));
  const auto last = static_cast<int64_t>(std::floor(high / step + kRounding));
  for (int64_t i = first; i <= last; ++i) {
    ticks.values.push_back(static_cast<double>(i) * step);
    ticks.labels.push_back(Label(ticks.values.back(), step));
  }
  return ticks;
}

Ticks LogarithmicTicks(double low, double high, int count) {
  const int first = static_cast<int>(std::ceil(std::log10(low) - kRounding));
  const int last = static_cast<int>(std::floor(std::log10(high) + kRounding));
  const int stride = std::max(1, (last - first + count) / count);
  Ticks ticks;
  for (int power = first; power <= last; power += stride) {
    ticks.values.push_back(std::pow(10.0, power));
    ticks.labels.push_back(absl::StrFormat("%g", ticks.values.back()));
  }
  return ticks;
}

Range NiceRange(Range range, int count) {
  if (!(range.low < range.high)) {
    const double half = range.low == 0 ? 0.5 : std::abs(range.low) / 10;
    range = {range.low - half, range.low + half};
  }
  const double step = NiceStep(range.low, range.high, count);
  return {std::floor(range.low / step + kRounding) * step, std::ceil(range.high / step - kRounding) * step};
}

Range NiceLogarithmicRange(Range range) {
  if (!(range.high > 0)) return {0.1, 1};
  if (!(range.low > 0)) range.low = range.high / 1000;
  const double low = std::floor(std::log10(range.low) + kRounding);
  const double high = std::ceil(std::log10(range.high) - kRounding);
  return {std::pow(10.0, low), std::pow(10.0, std::max(high, low + 1))};
}

}  // namespace candor
