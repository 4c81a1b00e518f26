// SPDX-License-Identifier: Apache-2.0
#include "server/metrics/uncertainty_drift.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace candor {

double PopulationStabilityIndex(const std::array<double, kUncertaintyHistogramBins>& p,
                                const std::array<double, kUncertaintyHistogramBins>& q) {
  constexpr double kSum = 1 + kEmptyShare * kUncertaintyHistogramBins;
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    sum += (p[i] - q[i]) / kSum * std::log((p[i] + kEmptyShare) / (q[i] + kEmptyShare));
  }
  return sum;
}

UncertaintyDrift::UncertaintyDrift(const std::vector<float>& reference) {
  std::copy_n(reference.begin(), std::min(reference.size(), reference_.size()), reference_.begin());
}

std::optional<double> UncertaintyDrift::Add(const PixelHistogram& pixels) {
  const double count = std::accumulate(pixels.begin(), pixels.end(), 0.0);
  if (count <= 0) return std::nullopt;
  constexpr double kKept = 1 - 1.0 / kWindowPictures;
  std::array<double, kUncertaintyHistogramBins> live;
  {
    absl::MutexLock lock(&mu_);
    weight_ = kKept * weight_ + 1;
    for (size_t i = 0; i < live.size(); ++i) {
      weighted_[i] = kKept * weighted_[i] + static_cast<double>(pixels[i]) / count;
      live[i] = weighted_[i] / weight_;
    }
    if (++pictures_ < kLeastPictures) return std::nullopt;
  }
  return PopulationStabilityIndex(live, reference_);
}

}  // namespace candor
