// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/detection.h"

#include <limits>

namespace candor {
namespace {

// Areas under the negatives' own curve need the low scores first.
double AveragePrecisionOfNegatives(absl::Span<const ScoreBin> bins, double negatives) {
  double sum = 0;
  double found = 0;
  double seen = 0;
  for (const ScoreBin& bin : bins) {
    if (bin.positives + bin.negatives == 0) continue;
    found += static_cast<double>(bin.negatives);
    seen += static_cast<double>(bin.positives + bin.negatives);
    sum += static_cast<double>(bin.negatives) * (found / seen);
  }
  return sum / negatives;
}

}  // namespace

DetectionFigures DetectionOf(absl::Span<const ScoreBin> bins) {
  DetectionFigures figures;
  for (const ScoreBin& bin : bins) {
    figures.positives += bin.positives;
    figures.negatives += bin.negatives;
  }
  if (figures.positives == 0 || figures.negatives == 0) {
    figures.auroc = figures.aupr = figures.aupr_negative = figures.fpr95 = std::numeric_limits<double>::quiet_NaN();
    return figures;
  }
  const auto positives = static_cast<double>(figures.positives);
  const auto negatives = static_cast<double>(figures.negatives);
  double found = 0;
  double false_alarms = 0;
  bool reached = false;
  for (auto bin = bins.rbegin(); bin != bins.rend(); ++bin) {
    if (bin->positives + bin->negatives == 0) continue;
    const auto more_found = static_cast<double>(bin->positives);
    const auto more_false = static_cast<double>(bin->negatives);
    figures.auroc += more_false * (found + more_found / 2);
    found += more_found;
    false_alarms += more_false;
    figures.aupr += more_found * (found / (found + false_alarms));
    if (!reached && found >= 0.95 * positives) {
      figures.fpr95 = false_alarms / negatives;
      reached = true;
    }
  }
  figures.auroc /= positives * negatives;
  figures.aupr /= positives;
  figures.aupr_negative = AveragePrecisionOfNegatives(bins, negatives);
  return figures;
}

}  // namespace candor
