// SPDX-License-Identifier: Apache-2.0
//
// One-pass moments, ranks and medians.
#include "client/cli/comparison_statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace candor {

void PairMoments::Add(double a, double b) {
  ++count_;
  const double delta_a = a - mean_a_;
  const double delta_b = b - mean_b_;
  mean_a_ += delta_a / count_;
  mean_b_ += delta_b / count_;
  squares_a_ += delta_a * (a - mean_a_);
  squares_b_ += delta_b * (b - mean_b_);
  products_ += delta_a * (b - mean_b_);
  absolute_differences_ += std::abs(a - b);
}

void PairMoments::Merge(const PairMoments& other) {
  if (other.count_ == 0) return;
  const double total = static_cast<double>(count_ + other.count_);
  const double delta_a = other.mean_a_ - mean_a_;
  const double delta_b = other.mean_b_ - mean_b_;
  const double weight = static_cast<double>(count_) * other.count_ / total;
  squares_a_ += other.squares_a_ + delta_a * delta_a * weight;
  squares_b_ += other.squares_b_ + delta_b * delta_b * weight;
  products_ += other.products_ + delta_a * delta_b * weight;
  mean_a_ += delta_a * other.count_ / total;
  mean_b_ += delta_b * other.count_ / total;
  absolute_differences_ += other.absolute_differences_;
  count_ += other.count_;
}

std::optional<double> PairMoments::Correlation() const {
  if (squares_a_ <= 0 || squares_b_ <= 0) return std::nullopt;
  return std::clamp(products_ / (std::sqrt(squares_a_) * std::sqrt(squares_b_)), -1.0, 1.0);
}

std::vector<double> AverageRanks(absl::Span<const float> values) {
  std::vector<uint32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](uint32_t i, uint32_t j) { return values[i] < values[j]; });
  std::vector<double> ranks(values.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double rank = (static_cast<double>(begin + 1) + static_cast<double>(end)) / 2;
    for (size_t i = begin; i < end; ++i) ranks[order[i]] = rank;
    begin = end;
  }
  return ranks;
}

std::optional<double> SpearmanCorrelation(absl::Span<const float> a, absl::Span<const float> b) {
  const std::vector<double> ranks_a = AverageRanks(a);
  const std::vector<double> ranks_b = AverageRanks(b);
  PairMoments moments;
  for (size_t i = 0; i < ranks_a.size(); ++i) moments.Add(ranks_a[i], ranks_b[i]);
  return moments.Correlation();
}

int64_t CountEqual(absl::Span<const uint8_t> a, absl::Span<const uint8_t> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), int64_t{0}, std::plus<>(),
                            [](uint8_t x, uint8_t y) { return int64_t{x == y}; });
}

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace candor
