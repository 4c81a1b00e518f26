// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace candor {

// Spearman's rank correlation of pairs, in constant memory (8 MiB): a joint histogram of 1024 x 1024 bins, whose pairs
// are ranked as tied (mid-ranks). Ranks are blind to monotone maps, so bins are equal in sqrt(value / range_max): fine
// near 0, where most pixels lie. A value's rank is off by at most half its bin's pixels; for uncertainty maps the
// correlation is off by less than 0.001. Thread-compatible.
class RankCorrelation {
 public:
  explicit RankCorrelation(float range_max);

  void Add(absl::Span<const float> x, absl::Span<const float> y);  // of equal size
  void Merge(const RankCorrelation& other);                        // of the same range

  // NaN: no pair, or all x (or all y) in one bin.
  double Spearman() const;

 private:
  float range_max_;
  std::vector<int64_t> counts_;  // [x][y]
};

}  // namespace candor
