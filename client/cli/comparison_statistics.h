// SPDX-License-Identifier: Apache-2.0
//
// How alike two models' answers are, pixel by pixel.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"

namespace candor {

// Means, mean absolute difference and Pearson correlation of pairs, in one pass; numerically stable (Welford), and
// mergeable (Chan et al. 1979).
class PairMoments {
 public:
  void Add(double a, double b);
  void Merge(const PairMoments& other);

  int64_t count() const { return count_; }
  double mean_a() const { return mean_a_; }
  double mean_b() const { return mean_b_; }
  double mean_absolute_difference() const { return count_ == 0 ? 0 : absolute_differences_ / count_; }
  // In [-1, 1]; none if either side does not vary.
  std::optional<double> Correlation() const;

 private:
  int64_t count_ = 0;
  double mean_a_ = 0;
  double mean_b_ = 0;
  double squares_a_ = 0;  // sums of squared, and of mixed, distances from the means
  double squares_b_ = 0;
  double products_ = 0;
  double absolute_differences_ = 0;
};

// Ranks from 1; equal values share the mean of their ranks.
std::vector<double> AverageRanks(absl::Span<const float> values);

// Pearson correlation of the average ranks, in [-1, 1]; none if either side does not vary. `a` and `b` of one size.
std::optional<double> SpearmanCorrelation(absl::Span<const float> a, absl::Span<const float> b);

// The number of equal elements of `a` and `b`, of one size.
int64_t CountEqual(absl::Span<const uint8_t> a, absl::Span<const uint8_t> b);

// The middle value, or the mean of the two middle ones; 0 of none.
double Median(std::vector<double> values);

}  // namespace candor
