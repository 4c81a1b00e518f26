// SPDX-License-Identifier: Apache-2.0
//
// A picture's uncertainty figures, gathered row by row in constant memory; parts can be merged.
#pragma once

#include <array>
#include <cstdint>

#include "absl/types/span.h"
#include "core/uncertainty/segmentation.h"

namespace candor {

// Figures of many values that were gathered elsewhere, by the rules of KindAccumulator::AddRow.
struct GatheredValues {
  int64_t count = 0;
  int64_t above_threshold = 0;
  double sum = 0;
  float max = 0;
  absl::Span<const uint32_t> histogram;  // [KindAccumulator::kBins], borrowed
};

// Gathers one kind. Thread-compatible.
class KindAccumulator {
 public:
  static constexpr int kBins = 1024;

  // `range_max`: the kind's upper bound, which spans the histogram.
  KindAccumulator(const KindRequest& request, float range_max);

  void AddRow(const float* values, int count);
  void AddGathered(const GatheredValues& values);
  void Merge(const KindAccumulator& other);

  // The figures so far; at least one value has been added.
  KindStatistics Finish() const;
  // False once a value was infinite or NaN.
  bool all_finite() const { return sum_ * 0 == 0; }

  // A value times this, cut to an integer in [0, kBins - 1], is its bin.
  float bins_per_unit() const { return 1.0f / bin_width_; }

 private:
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
