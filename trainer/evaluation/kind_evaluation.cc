// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/kind_evaluation.h"

#include "trainer/evaluation/detection.h"
#include "trainer/evaluation/risk_coverage.h"

namespace candor {
namespace {
constexpr int kHistogramParts = 64;
}  // namespace

KindEvaluation::KindEvaluation(UncertaintyKind kind, int classes, const std::vector<double>& fixed_shares)
    : kind_(kind),
      range_max_(UncertaintyKindMax(kind, classes)),
      histogram_(range_max_),
      rejection_(classes),
      class_uncertainty_(classes),
      certainty_(range_max_, fixed_shares) {}

void KindEvaluation::AddPicture(absl::Span<const float> values, const PixelMaps& maps) {
  bins_.resize(values.size());
  BinUncertainty(values, range_max_, absl::MakeSpan(bins_));
  histogram_.Add(values, bins_, maps.outcomes);
  rejection_.Add(bins_, maps.truth, maps.labels);
  class_uncertainty_.AddPicture(values, maps.labels);
  certainty_.AddPicture(values, bins_, maps.outcomes, maps.width);
  if (maps.unknown_mask.empty()) return;
  unknown_bins_.resize(kUncertaintyBins);
  for (size_t i = 0; i < bins_.size(); ++i) {
    ScoreBin& bin = unknown_bins_[bins_[i]];
    bin.positives += maps.unknown_mask[i] == 1 ? 1 : 0;
    bin.negatives += maps.unknown_mask[i] == 0 ? 1 : 0;
  }
}

void KindEvaluation::Merge(const KindEvaluation& other) {
  histogram_.Merge(other.histogram_);
  rejection_.Merge(other.rejection_);
  class_uncertainty_.Merge(other.class_uncertainty_);
  certainty_.Merge(other.certainty_);
  if (other.unknown_bins_.empty()) return;
  unknown_bins_.resize(kUncertaintyBins);
  for (size_t i = 0; i < unknown_bins_.size(); ++i) {
    unknown_bins_[i].positives += other.unknown_bins_[i].positives;
    unknown_bins_[i].negatives += other.unknown_bins_[i].negatives;
  }
}

KindFigures KindEvaluation::Figures() const {
  const std::vector<ScoreBin> errors = histogram_.ErrorBins();
  KindFigures figures;
  figures.kind = kind_;
  figures.mean = histogram_.Mean();
  figures.median = histogram_.Median();
  figures.class_pooled = class_uncertainty_.Pooled();
  figures.class_batch = class_uncertainty_.Batch();
  figures.munc_pooled = class_uncertainty_.PooledMean();
  figures.munc_batch = class_uncertainty_.BatchMean();
  figures.errors = DetectionOf(errors);
  if (!unknown_bins_.empty()) figures.unknown = DetectionOf(unknown_bins_);
  figures.rejection = rejection_.Curve();
  figures.accuracy_versus_uncertainty = certainty_.Figures(errors);
  figures.risk_coverage = RiskCoverageOf(errors);
  figures.sparsification = SparsificationOf(errors);
  figures.histogram = histogram_.Shares(kHistogramParts);
  return figures;
}

}  // namespace candor
