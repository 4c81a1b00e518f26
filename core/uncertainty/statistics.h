// SPDX-License-Identifier: Apache-2.0
//
// A picture's uncertainty figures, gathered row by row in constant memory; parts can be merged.
#pragma once

#include <array>
#include <cstdint>

#include "core/uncertainty/segmentation.h"

namespace candor {

// Gathers one kind. Thread-compatible.
class KindAccumulator {
 public:
  // `range_max`: the kind's upper bound, which spans the histogram.
  KindAccumulator(const KindRequest& request, float range_max);

  void AddRow(const float* values, int count);
  void Merge(const KindAccumulator& other);

  // The figures so far; at least one value has been added.
  KindStatistics Finish() const;
  // False once a value was infinite or NaN.
  bool all_finite() const { return sum_ * 0 == 0; }

 private:
  static constexpr int kBins = 1024;

  float Quantile(double share) const;

  UncertaintyKind kind_;
  float threshold_;
  float bin_width_;
  int64_t count_ = 0;
  int64_t above_threshold_ = 0;
  double sum_ = 0;
  float max_ = 0;
  std::array<int64_t, kBins> histogram_{};
};

}  // namespace candor
