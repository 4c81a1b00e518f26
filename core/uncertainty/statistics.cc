// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/statistics.h"

#include <algorithm>
#include <cmath>

namespace candor {

KindAccumulator::KindAccumulator(const KindRequest& request, float range_max)
    : kind_(request.kind), threshold_(request.threshold), bin_width_(range_max / kBins) {}

void KindAccumulator::AddRow(const float* values, int count) {
  const float bins_per_unit = this->bins_per_unit();
  for (int i = 0; i < count; ++i) {
    const float value = values[i];
    sum_ += value;
    max_ = std::max(max_, value);
    above_threshold_ += value > threshold_;
    // Written so that NaN falls into the first bin: all_finite() reports it.
    const float bin = value * bins_per_unit;
    ++histogram_[bin > 0 ? static_cast<int>(std::min(bin, kBins - 1.0f)) : 0];
  }
  count_ += count;
}

void KindAccumulator::AddGathered(const GatheredValues& values) {
  count_ += values.count;
  above_threshold_ += values.above_threshold;
  sum_ += values.sum;
  max_ = std::max(max_, values.max);
  for (int i = 0; i < kBins; ++i) histogram_[i] += values.histogram[i];
}

void KindAccumulator::Merge(const KindAccumulator& other) {
  count_ += other.count_;
  above_threshold_ += other.above_threshold_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
  for (int i = 0; i < kBins; ++i) histogram_[i] += other.histogram_[i];
}

float KindAccumulator::Quantile(double share) const {
  const auto rank = std::max<int64_t>(1, static_cast<int64_t>(std::ceil(share * static_cast<double>(count_))));
  int64_t seen = 0;
  for (int i = 0; i < kBins; ++i) {
    seen += histogram_[i];
    if (seen >= rank) return std::min(max_, static_cast<float>(i + 1) * bin_width_);
  }
  return max_;
}

KindStatistics KindAccumulator::Finish() const {
  KindStatistics figures;
  figures.kind = kind_;
  figures.mean = static_cast<float>(sum_ / static_cast<double>(count_));
  figures.max = max_;
  figures.median = Quantile(0.5);
  figures.p90 = Quantile(0.9);
  figures.p99 = Quantile(0.99);
  figures.threshold = threshold_;
  figures.share_above_threshold =
      static_cast<float>(static_cast<double>(above_threshold_) / static_cast<double>(count_));
  static_assert(kBins % kUncertaintyHistogramBins == 0);
  for (int i = 0; i < kBins; ++i) figures.histogram[i * kUncertaintyHistogramBins / kBins] += histogram_[i];
  return figures;
}

}  // namespace candor
