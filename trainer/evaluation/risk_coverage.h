// SPDX-License-Identifier: Apache-2.0
//
// Error rate of the most certain pixels, and of those left after dropping the most uncertain: two readings of one
// order.
#pragma once

#include "absl/types/span.h"
#include "trainer/evaluation/detection.h"
#include "trainer/evaluation/evaluation_result.h"

namespace candor {

// Both take bins by rising uncertainty, wrong pixels as positives. Tied pixels count in the mean of all their orders:
// within a bin, errors come evenly. All figures are NaN for less than two pixels.

// AURC: risk (error rate of the k most certain pixels) integrated by trapezoids over coverage k/n from 1/n to 1,
// divided by 1 - 1/n, as torch-uncertainty does. AUGRC: the same of risk times coverage. Exact, in closed form for each
// bin.
RiskCoverage RiskCoverageOf(absl::Span<const ScoreBin> bins);

// AUSE: area between the two curves over shares dropped from 0 to 1 - 1/n, divided by the error rate of all pixels, so
// that both curves start at 1 (the curves given out are not divided). NaN if nothing is wrong.
Sparsification SparsificationOf(absl::Span<const ScoreBin> bins);

}  // namespace candor
