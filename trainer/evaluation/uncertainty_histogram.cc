// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/uncertainty_histogram.h"

#include <limits>

namespace candor {
namespace {
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
}  // namespace

void BinUncertainty(absl::Span<const float> values, float range_max, absl::Span<uint16_t> bins) {
  const float scale = kUncertaintyBins / range_max;
  constexpr float kLast = kUncertaintyBins - 1;
  for (size_t i = 0; i < bins.size(); ++i) {
    float bin = values[i] * scale;
    bin = bin > 0 ? bin : 0;
    bin = bin < kLast ? bin : kLast;
    bins[i] = static_cast<uint16_t>(static_cast<int32_t>(bin));
  }
}

UncertaintyHistogram::UncertaintyHistogram(float range_max) : range_max_(range_max), counts_(kUncertaintyBins) {}

void UncertaintyHistogram::Add(absl::Span<const float> values, absl::Span<const uint16_t> bins,
                               absl::Span<const PixelOutcome> outcomes) {
  double sum = 0;
  for (size_t i = 0; i < bins.size(); ++i) {
    sum += values[i];
    ++counts_[bins[i]][static_cast<size_t>(outcomes[i])];
  }
  sum_ += sum;
}

void UncertaintyHistogram::Merge(const UncertaintyHistogram& other) {
  sum_ += other.sum_;
  for (size_t bin = 0; bin < counts_.size(); ++bin) {
    for (size_t i = 0; i < counts_[bin].size(); ++i) counts_[bin][i] += other.counts_[bin][i];
  }
}

int64_t UncertaintyHistogram::pixels() const {
  int64_t sum = 0;
  for (const auto& bin : counts_) sum += bin[0] + bin[1] + bin[2];
  return sum;
}

double UncertaintyHistogram::Mean() const {
  const int64_t all = pixels();
  return all == 0 ? kNaN : sum_ / static_cast<double>(all);
}

double UncertaintyHistogram::Median() const {
  const int64_t all = pixels();
  if (all == 0) return kNaN;
  int64_t below = 0;
  size_t bin = 0;
  for (; bin + 1 < counts_.size(); ++bin) {
    below += counts_[bin][0] + counts_[bin][1] + counts_[bin][2];
    if (2 * below >= all) break;
  }
  return (static_cast<double>(bin) + 0.5) * range_max_ / kUncertaintyBins;
}

std::vector<double> UncertaintyHistogram::Shares(int parts) const {
  const int64_t all = pixels();
  std::vector<double> shares(parts, all == 0 ? kNaN : 0);
  if (all == 0) return shares;
  const size_t bins_each = counts_.size() / parts;
  for (int part = 0; part < parts; ++part) {
    int64_t sum = 0;
    for (size_t i = 0; i < bins_each; ++i) {
      const auto& bin = counts_[part * bins_each + i];
      sum += bin[0] + bin[1] + bin[2];
    }
    shares[part] = static_cast<double>(sum) / static_cast<double>(all);
  }
  return shares;
}

std::vector<ScoreBin> UncertaintyHistogram::ErrorBins() const {
  std::vector<ScoreBin> bins(counts_.size());
  for (size_t i = 0; i < bins.size(); ++i) {
    bins[i].positives = counts_[i][static_cast<size_t>(PixelOutcome::kWrong)];
    bins[i].negatives = counts_[i][static_cast<size_t>(PixelOutcome::kCorrect)];
  }
  return bins;
}

}  // namespace candor
