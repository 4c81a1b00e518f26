// SPDX-License-Identifier: Apache-2.0
//
// All pixels of a split by their uncertainty, in constant memory (2 MiB a kind): what the curves and areas are read
// from. Values of one bin count as tied, so the figures are those of uncertainty rounded to 1/65536 of its range.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "trainer/evaluation/detection.h"
#include "trainer/evaluation/pixel_outcome.h"

namespace candor {

inline constexpr int kUncertaintyBins = 65536;

// The bin of each value among 65,536 equal ones over [0, range_max]; values outside fall into the first or last one.
// No value is NaN.
void BinUncertainty(absl::Span<const float> values, float range_max, absl::Span<uint16_t> bins);

// Thread-compatible.
class UncertaintyHistogram {
 public:
  explicit UncertaintyHistogram(float range_max);

  // `bins` of BinUncertainty with the same range_max; all of equal size.
  void Add(absl::Span<const float> values, absl::Span<const uint16_t> bins, absl::Span<const PixelOutcome> outcomes);
  void Merge(const UncertaintyHistogram& other);  // of the same range

  // Over all pixels, void included. NaN: no pixel.
  double Mean() const;
  double Median() const;                        // middle of the bin that has it: within range_max / 131072
  std::vector<double> Shares(int parts) const;  // of pixels in `parts` equal bins; a divisor of 65,536

  // Wrong pixels as positives, correct ones as negatives, by rising uncertainty.
  std::vector<ScoreBin> ErrorBins() const;

 private:
  int64_t pixels() const;

  double range_max_;
  double sum_ = 0;
  std::vector<std::array<int64_t, 4>> counts_;  // by PixelOutcome; the fourth makes a bin 32 bytes
};

}  // namespace candor
