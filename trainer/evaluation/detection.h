// SPDX-License-Identifier: Apache-2.0
//
// How well a score finds positives (wrong pixels, unknown objects), from a histogram of both sides.
#pragma once

#include <cstdint>

#include "absl/types/span.h"
#include "trainer/evaluation/evaluation_result.h"

namespace candor {

// Pixels whose scores are tied.
struct ScoreBin {
  int64_t positives = 0;
  int64_t negatives = 0;
};

// `bins` by rising score; a positive should score high. AUROC by trapezoids, so a tie counts one half; AUPR as the step
// sum of precision over recall (scikit-learn's average precision); FPR at the first threshold with recall >= 0.95.
// Without positives or without negatives all but the counts are NaN.
DetectionFigures DetectionOf(absl::Span<const ScoreBin> bins);

}  // namespace candor
