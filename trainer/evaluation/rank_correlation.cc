// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/rank_correlation.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace candor {
namespace {

constexpr int kBins = 1024;

int BinOf(float value, float range_max) {
  const float share = std::min(std::max(value / range_max, 0.0f), 1.0f);
  return std::min(static_cast<int>(std::sqrt(share) * kBins), kBins - 1);
}

// The mean rank of each bin's members, less the mean of all ranks.
std::vector<double> CentredRanks(const std::vector<double>& counts) {
  double all = 0;
  for (double count : counts) all += count;
  std::vector<double> ranks;
  double below = 0;
  for (double count : counts) {
    ranks.push_back(below + count / 2 - all / 2);
    below += count;
  }
  return ranks;
}

double WeightedSquares(const std::vector<double>& values, const std::vector<double>& weights) {
  double sum = 0;
  for (size_t i = 0; i < values.size(); ++i) sum += values[i] * values[i] * weights[i];
  return sum;
}

}  // namespace

RankCorrelation::RankCorrelation(float range_max)
    : range_max_(range_max), counts_(static_cast<size_t>(kBins) * kBins) {}

void RankCorrelation::Add(absl::Span<const float> x, absl::Span<const float> y) {
  for (size_t i = 0; i < x.size(); ++i) {
    ++counts_[static_cast<size_t>(BinOf(x[i], range_max_)) * kBins + BinOf(y[i], range_max_)];
  }
}

void RankCorrelation::Merge(const RankCorrelation& other) {
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
}

double RankCorrelation::Spearman() const {
  std::vector<double> x_counts(kBins);
  std::vector<double> y_counts(kBins);
  for (size_t i = 0; i < counts_.size(); ++i) {
    x_counts[i / kBins] += static_cast<double>(counts_[i]);
    y_counts[i % kBins] += static_cast<double>(counts_[i]);
  }
  const std::vector<double> x_ranks = CentredRanks(x_counts);
  const std::vector<double> y_ranks = CentredRanks(y_counts);
  double product = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    product += static_cast<double>(counts_[i]) * x_ranks[i / kBins] * y_ranks[i % kBins];
  }
  const double squares = WeightedSquares(x_ranks, x_counts) * WeightedSquares(y_ranks, y_counts);
  return squares == 0 ? std::numeric_limits<double>::quiet_NaN() : product / std::sqrt(squares);
}

}  // namespace candor
