// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/split_evaluation.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "core/base/status_macros.h"
#include "trainer/evaluation/reliable_segmentation_score.h"

namespace candor {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

absl::Status PictureError(const ScoredPicture& picture, absl::string_view rule) {
  return absl::InvalidArgumentError(absl::StrCat("picture ", picture.name, ": ", rule));
}

bool IsFinite(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return (bits & 0x7f800000u) != 0x7f800000u;
}

// `what` names the map.
absl::Status CheckFinite(const ScoredPicture& picture, absl::string_view what, absl::Span<const float> values) {
  bool all_finite = true;
  for (float value : values) all_finite &= IsFinite(value);  // no early exit: this way the compiler vectorises
  if (all_finite) return absl::OkStatus();
  const auto bad = std::find_if_not(values.begin(), values.end(), IsFinite);
  return PictureError(picture, absl::StrCat(what, "[", bad - values.begin(), "]: must be finite, is ", *bad));
}

absl::Status CheckLabels(const ScoredPicture& picture, absl::string_view what, absl::Span<const uint8_t> values,
                         int classes, bool void_allowed) {
  const auto is_class = [=](uint8_t value) { return value < classes || (void_allowed && value == kIgnoreLabel); };
  bool all_classes = true;
  for (uint8_t value : values) all_classes &= is_class(value);
  if (all_classes) return absl::OkStatus();
  const auto bad = std::find_if_not(values.begin(), values.end(), is_class);
  return PictureError(picture, absl::StrCat(what, "[", bad - values.begin(), "]: must be below ", classes,
                                            void_allowed ? " or 255" : "", ", is ", static_cast<int>(*bad)));
}

double MeanOf(absl::Span<const float> values) {
  double sum = 0;
  for (float value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double ScoreOf(const EvaluationResult& result) {
  for (const KindFigures& kind : result.kinds) {
    if (kind.kind != UncertaintyKind::kPredictiveEntropy) continue;
    for (const AccuracyVersusUncertainty& figures : kind.accuracy_versus_uncertainty) {
      if (figures.rule != "median") continue;
      return ReliableSegmentationScore(result.miou, result.calibration.ece, figures.accurate_if_certain,
                                       figures.uncertain_if_inaccurate);
    }
  }
  return kNaN;
}

}  // namespace

SplitEvaluation::SplitEvaluation(std::vector<UncertaintyKind> kinds, int classes, std::vector<double> fixed_shares)
    : kinds_(std::move(kinds)), classes_(classes), confusion_(classes), calibration_(classes) {
  for (UncertaintyKind kind : kinds_) kind_evaluations_.emplace_back(kind, classes, fixed_shares);
}

absl::Status SplitEvaluation::Check(const ScoredPicture& picture) const {
  if (picture.width <= 0 || picture.height <= 0) {
    return PictureError(picture, absl::StrCat("must have pixels, is ", picture.width, "x", picture.height));
  }
  if (picture.truth == nullptr || picture.labels == nullptr) return PictureError(picture, "must have truth and labels");
  if (picture.kind_maps.size() != kinds_.size()) {
    return PictureError(picture,
                        absl::StrCat("must have ", kinds_.size(), " uncertainty maps, has ", picture.kind_maps.size()));
  }
  if (!pictures_.empty() && has_probabilities_ != (picture.probabilities != nullptr)) {
    return PictureError(picture, "must have probabilities if and only if the pictures before it have");
  }
  const size_t pixels = static_cast<size_t>(picture.width) * picture.height;
  RETURN_IF_ERROR(CheckLabels(picture, "truth", {picture.truth, pixels}, classes_, /*void_allowed=*/true));
  RETURN_IF_ERROR(CheckLabels(picture, "labels", {picture.labels, pixels}, classes_, /*void_allowed=*/false));
  if (picture.unknown_mask != nullptr) {
    RETURN_IF_ERROR(CheckLabels(picture, "unknown mask", {picture.unknown_mask, pixels}, 2, /*void_allowed=*/true));
  }
  for (size_t i = 0; i < kinds_.size(); ++i) {
    const absl::string_view kind = UncertaintyKindName(kinds_[i]);
    if (picture.kind_maps[i] == nullptr) return PictureError(picture, absl::StrCat("must have a map of ", kind));
    RETURN_IF_ERROR(CheckFinite(picture, kind, {picture.kind_maps[i], pixels}));
  }
  if (picture.probabilities == nullptr) return absl::OkStatus();
  return CheckFinite(picture, "probabilities", {picture.probabilities, pixels * classes_});
}

absl::Status SplitEvaluation::AddPicture(const ScoredPicture& picture) {
  RETURN_IF_ERROR(Check(picture));
  const size_t pixels = static_cast<size_t>(picture.width) * picture.height;
  PixelMaps maps;
  maps.width = picture.width;
  maps.truth = {picture.truth, pixels};
  maps.labels = {picture.labels, pixels};
  if (picture.unknown_mask != nullptr) maps.unknown_mask = {picture.unknown_mask, pixels};
  outcomes_.resize(pixels);
  ComparePixels(maps.truth, maps.labels, absl::MakeSpan(outcomes_));
  maps.outcomes = outcomes_;

  ConfusionMatrix confusion(classes_);
  confusion.Add(maps.truth, maps.labels);
  confusion_.Merge(confusion);
  for (size_t i = 0; i < kinds_.size(); ++i) kind_evaluations_[i].AddPicture({picture.kind_maps[i], pixels}, maps);
  has_probabilities_ = picture.probabilities != nullptr;
  if (has_probabilities_) calibration_.AddPicture(picture.probabilities, maps.truth, maps.labels);

  PictureFigures figures;
  figures.name = picture.name;
  figures.accuracy = confusion.Accuracy();
  figures.miou = confusion.MeanIou();
  figures.mean_uncertainty = kinds_.empty() ? kNaN : MeanOf({picture.kind_maps[0], pixels});
  figures.pixels = confusion.pixels();
  figures.wrong_pixels = confusion.pixels() - confusion.correct();
  void_pixels_ += static_cast<int64_t>(pixels) - figures.pixels;
  pictures_.push_back(std::move(figures));
  return absl::OkStatus();
}

absl::Status SplitEvaluation::Merge(const SplitEvaluation& other) {
  if (other.pictures_.empty()) return absl::OkStatus();
  if (!pictures_.empty() && has_probabilities_ != other.has_probabilities_) {
    return absl::InvalidArgumentError("evaluations to merge: must both have probabilities or both have none");
  }
  has_probabilities_ = other.has_probabilities_;
  confusion_.Merge(other.confusion_);
  calibration_.Merge(other.calibration_);
  for (size_t i = 0; i < kind_evaluations_.size(); ++i) kind_evaluations_[i].Merge(other.kind_evaluations_[i]);
  pictures_.insert(pictures_.end(), other.pictures_.begin(), other.pictures_.end());
  void_pixels_ += other.void_pixels_;
  return absl::OkStatus();
}

void SplitEvaluation::Fill(EvaluationResult* result) const {
  result->pictures = static_cast<int64_t>(pictures_.size());
  result->pixels = confusion_.pixels();
  result->void_pixels = void_pixels_;
  result->miou = confusion_.MeanIou();
  result->accuracy = confusion_.Accuracy();
  result->class_iou = confusion_.ClassIou();
  result->confusion = confusion_.Rows();
  result->calibration = calibration_.Figures();
  result->kinds.clear();
  for (const KindEvaluation& kind : kind_evaluations_) result->kinds.push_back(kind.Figures());
  result->rss = ScoreOf(*result);
  result->picture_figures = pictures_;
  std::sort(result->picture_figures.begin(), result->picture_figures.end(),
            [](const PictureFigures& a, const PictureFigures& b) {
              if (std::isnan(a.miou) != std::isnan(b.miou)) return std::isnan(b.miou);
              if (!std::isnan(a.miou) && a.miou != b.miou) return a.miou < b.miou;
              return a.name < b.name;
            });
}

}  // namespace candor
