// SPDX-License-Identifier: Apache-2.0
//
// Whether certain pixels are accurate and inaccurate ones uncertain (Mukhoti and Gal 2018), for several ways to choose
// the threshold between certain and uncertain.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "trainer/evaluation/detection.h"
#include "trainer/evaluation/evaluation_result.h"
#include "trainer/evaluation/pixel_outcome.h"

namespace candor {

// Thresholds of rules "median" and "mean" are those of each picture's labelled pixels (the median being the lower
// middle value, as torch.median); a value above it is uncertain. Fixed thresholds are bin edges of BinUncertainty, a
// value from the edge on is uncertain. Windows of 4 x 4 pixels lie side by side from the top left; incomplete ones at
// the right and bottom and those without a labelled pixel are left out; accuracy and uncertainty are of the labelled
// pixels. Void pixels are left out throughout. Thread-compatible.
class CertaintyMeter {
 public:
  // `fixed_shares` of the range are the fixed thresholds, in (0, 1), rounded to a bin edge.
  CertaintyMeter(float range_max, std::vector<double> fixed_shares);

  // All maps are width x height; `bins` of BinUncertainty.
  void AddPicture(absl::Span<const float> values, absl::Span<const uint16_t> bins,
                  absl::Span<const PixelOutcome> outcomes, int width);
  void Merge(const CertaintyMeter& other);  // of the same range and shares

  // Median, mean, then each fixed threshold. `pixels`: error bins (UncertaintyHistogram) of the same pictures. A ratio
  // without pixels below the line is NaN.
  std::vector<AccuracyVersusUncertainty> Figures(absl::Span<const ScoreBin> pixels) const;

 private:
  // First index: 0 accurate, 1 inaccurate; second: 0 certain, 1 uncertain.
  struct Counts {
    int64_t of[2][2] = {};
  };
  struct Rule {
    double threshold_sum = 0;
    Counts pixels;
    Counts patches;
  };
  struct Patch {
    float uncertainty;
    bool accurate;
  };

  std::vector<Patch> PatchesOf(absl::Span<const float> values, absl::Span<const PixelOutcome> outcomes,
                               int width) const;
  static void AddByThreshold(absl::Span<const float> values, absl::Span<const PixelOutcome> outcomes,
                             const std::vector<Patch>& patches, float threshold, Rule* rule);
  static Counts SplitAt(absl::Span<const ScoreBin> bins, size_t edge);
  static AccuracyVersusUncertainty FiguresOf(std::string rule, double threshold, const Counts& pixels,
                                             const Counts& patches);

  float range_max_;
  std::vector<size_t> fixed_edges_;  // bins
  int64_t pictures_ = 0;             // with a labelled pixel
  Rule median_;
  Rule mean_;
  std::vector<ScoreBin> patch_bins_;  // inaccurate ones as positives
  std::vector<uint32_t> bin_counts_;  // of one picture
};

}  // namespace candor
