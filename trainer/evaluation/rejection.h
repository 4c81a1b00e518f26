// SPDX-License-Identifier: Apache-2.0
//
// IoU and accuracy of the pixels left after dropping the most uncertain ones of a split (DUDES, figure 4).
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "trainer/evaluation/evaluation_result.h"

namespace candor {

// For each uncertainty bin and class the pixels hit, missed and wrongly claimed: IoU after dropping any set of bins
// follows exactly. 12 bytes for each bin and class (36 after 4 billion pixels): 65,536 bins up to 85 classes, then half
// as many for each doubling, so at most 64 MiB (192). Where the cut falls inside a bin, its pixels stay in proportion:
// what a random order of tied pixels gives on average. Thread-compatible.
class RejectionTable {
 public:
  explicit RejectionTable(int classes);

  // `bins` of BinUncertainty. Void pixels are left out.
  void Add(absl::Span<const uint16_t> bins, absl::Span<const uint8_t> truth, absl::Span<const uint8_t> labels);
  void Merge(const RejectionTable& other);  // of as many classes

  // After dropping 0, 10, ... 90 %. All NaN if there was no pixel.
  RejectionCurve Curve() const;

 private:
  // Pixels of a class in a bin; of doubles where a share of a bin is kept.
  template <typename T>
  struct Cell {
    T hit = 0;
    T missed = 0;   // of the class, labelled as another
    T claimed = 0;  // labelled as the class, of another
  };
  using Sums = std::vector<Cell<double>>;  // by class

  Cell<int64_t> At(size_t index) const;
  void Fold();
  static void AddShare(double share, const Sums& row, Sums* sums);

  int classes_;
  int shift_;  // of BinUncertainty's bins to ours
  // [bin][class]. Narrow counts keep twice as many of the bins in the cache; before they could overflow they are
  // folded into the wide ones, which are empty until then.
  std::vector<Cell<uint32_t>> recent_;
  int64_t recent_pixels_ = 0;
  std::vector<Cell<int64_t>> folded_;
};

}  // namespace candor
