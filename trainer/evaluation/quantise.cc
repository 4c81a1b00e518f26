// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/quantise.h"

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/model/bundle.h"
#include "core/uncertainty/known_answer.h"
#include "trainer/evaluation/calibrate.h"

namespace candor {
namespace {

absl::StatusOr<Segmentation> Ask(Segmenter* model, const Image& image) {
  const std::vector<KindRequest> kinds = {{model->info().spec.default_kind(), /*want_map=*/true}};
  return model->Segment(image, {kinds}, nullptr);
}

absl::StatusOr<std::vector<ValueRange>> MeasureRanges(const FittingLoader& load, const Dataset& dataset,
                                                      const EvaluationControl& control) {
  std::vector<ValueRange> ranges;
  LoadOptions options;
  options.seen_ranges = &ranges;
  ASSIGN_OR_RETURN(const std::unique_ptr<Segmenter> model, load(options, Precision::kFp32));
  for (int i = 0; i < dataset.size(); ++i) {
    RETURN_IF_ERROR(EvaluationStep(control, "ranges", i, dataset.size()));
    ASSIGN_OR_RETURN(const LabelledPicture picture, dataset.Read(i));
    RETURN_IF_ERROR(Ask(model.get(), picture.image).status());
  }
  return ranges;
}

struct Agreement {
  double labels = 0;      // share of pixels with the same one
  double difference = 0;  // mean, over the kind's range
};

absl::StatusOr<Agreement> Compare(Segmenter* first, Segmenter* second, const Dataset& dataset,
                                  const EvaluationControl& control) {
  int64_t pixels = 0;
  int64_t equal = 0;
  double difference = 0;
  for (int i = 0; i < dataset.size(); ++i) {
    RETURN_IF_ERROR(EvaluationStep(control, "comparison", i, dataset.size()));
    ASSIGN_OR_RETURN(const LabelledPicture picture, dataset.Read(i));
    ASSIGN_OR_RETURN(const Segmentation a, Ask(first, picture.image));
    ASSIGN_OR_RETURN(const Segmentation b, Ask(second, picture.image));
    for (size_t p = 0; p < a.labels.size(); ++p) {
      equal += a.labels[p] == b.labels[p] ? 1 : 0;
      difference += std::abs(static_cast<double>(a.kinds[0].map[p]) - b.kinds[0].map[p]);
    }
    pixels += static_cast<int64_t>(a.labels.size());
  }
  const ModelSpec& spec = first->info().spec;
  const double range = UncertaintyKindMax(spec.default_kind(), spec.class_count());
  const auto count = static_cast<double>(pixels);
  return Agreement{static_cast<double>(equal) / count, difference / count / range};
}

absl::Status CheckAgreement(const Agreement& agreement) {
  if (agreement.labels < kLeastAgreement) {
    return absl::FailedPreconditionError(
        absl::StrFormat("int8: %.2f %% of the pixels keep their label, at least %.1f %% are wanted; the bundle is as "
                        "before",
                        100 * agreement.labels, 100 * kLeastAgreement));
  }
  if (agreement.difference > kLargestDifference) {
    return absl::FailedPreconditionError(
        absl::StrFormat("int8: the uncertainty differs by %.4f of its range on average, at most %.2f is allowed; the "
                        "bundle is as before",
                        agreement.difference, kLargestDifference));
  }
  return absl::OkStatus();
}

// A load compares it.
absl::Status CheckKnown(Segmenter* model, const KnownAnswer& known) {
  ASSIGN_OR_RETURN(const KnownAnswer answer, AnswerOf(model));
  absl::Status status = CheckKnownAnswer(known, answer);
  if (status.ok()) return status;
  return absl::FailedPreconditionError(absl::StrCat("int8: ", status.message(), "; the bundle is as before"));
}

}  // namespace

absl::StatusOr<std::string> QuantiseBundle(const std::string& bundle, const FittingLoader& load, const Dataset& dataset,
                                           const std::string& note, const EvaluationControl& control) {
  ASSIGN_OR_RETURN(const Bundle opened, OpenBundle(bundle));
  ModelSpec spec = opened.spec;
  LoadOptions options;
  ASSIGN_OR_RETURN(options.encoder_ranges, MeasureRanges(load, dataset, control));
  ASSIGN_OR_RETURN(const std::unique_ptr<Segmenter> reference, load({}, Precision::kFp32));
  ASSIGN_OR_RETURN(const std::unique_ptr<Segmenter> model, load(options, Precision::kInt8));
  ASSIGN_OR_RETURN(const Agreement agreement, Compare(reference.get(), model.get(), dataset, control));
  RETURN_IF_ERROR(CheckAgreement(agreement));
  RETURN_IF_ERROR(CheckKnown(model.get(), spec.known_answer));
  if (!spec.calibration.has_value()) {
    spec.calibration.emplace();
    spec.calibration->data = note;
  }
  spec.calibration->encoder_ranges = options.encoder_ranges;
  RETURN_IF_ERROR(UpdateBundleSpec(bundle, spec));
  return absl::StrFormat("int8: %.2f %% of the pixels keep their label, %s differs by %.4f of its range on average\n",
                         100 * agreement.labels, UncertaintyKindName(spec.default_kind()), agreement.difference);
}

}  // namespace candor
