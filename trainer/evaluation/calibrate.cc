// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/calibrate.h"

#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/model/bundle.h"
#include "core/uncertainty/known_answer.h"
#include "trainer/evaluation/calibration.h"
#include "trainer/evaluation/temperature_fit.h"
#include "trainer/evaluation/threshold_fit.h"

namespace candor {
namespace {

absl::StatusOr<Segmentation> Ask(Segmenter* model, const Image& image, const PredictRequest& request) {
  return model->Segment(image, request, nullptr);
}

// Mean negative log-likelihood of the split at one temperature.
absl::StatusOr<double> Nll(Segmenter* model, const Dataset& dataset, const EvaluationControl& control) {
  CalibrationMeter meter(model->info().spec.class_count());
  PredictRequest request;
  request.want_probabilities = true;
  for (int i = 0; i < dataset.size(); ++i) {
    RETURN_IF_ERROR(EvaluationStep(control, "temperature", i, dataset.size()));
    ASSIGN_OR_RETURN(const LabelledPicture picture, dataset.Read(i));
    ASSIGN_OR_RETURN(const Segmentation answer, Ask(model, picture.image, request));
    meter.AddPicture(answer.probabilities.data(), picture.labels.values, answer.labels);
  }
  return meter.Figures().nll;
}

absl::StatusOr<TemperatureFit> FitOnSplit(const ModelLoader& load, const Dataset& dataset,
                                          const EvaluationControl& control) {
  absl::Status failure;
  const auto fit = FitTemperature([&](double temperature) {
    if (!failure.ok()) return std::numeric_limits<double>::quiet_NaN();  // ends the search
    const auto model = load(static_cast<float>(temperature));
    auto nll = model.ok() ? Nll(model->get(), dataset, control) : absl::StatusOr<double>(model.status());
    if (!nll.ok()) failure = nll.status();
    return nll.ok() ? *nll : std::numeric_limits<double>::quiet_NaN();
  });
  if (!failure.ok()) return failure;
  return fit;
}

std::vector<float> Shares(const std::vector<double>& histogram) { return {histogram.begin(), histogram.end()}; }

std::string TextOf(const Calibration& calibration, const ThresholdFit& fit) {
  const Calibration::Verdict& verdict = fit.verdict;
  return absl::StrFormat(
      "temperature %.4f\n"
      "ACCEPT up to %.6f mean %s: %.1f %% of the pictures, at most %.1f %% wrong pixels\n"
      "REJECT above %.6f: %.1f %% of the pictures; the rest has at most %.1f %% wrong pixels\n",
      calibration.temperature, verdict.accept_max, UncertaintyKindName(verdict.kind), 100 * fit.accepted,
      100 * verdict.error_rate, verdict.review_max, 100 * (1 - fit.not_rejected), 100 * verdict.reject_error_rate);
}

}  // namespace

absl::StatusOr<KnownAnswer> AnswerOf(Segmenter* model) {
  const ModelSpec& spec = model->info().spec;
  const std::vector<KindRequest> kinds = {{spec.default_kind(), /*want_map=*/true}};
  ASSIGN_OR_RETURN(const Segmentation answer, Ask(model, KnownAnswerPicture(), {kinds}));
  return KnownAnswerFrom(answer, spec.class_count());
}

absl::StatusOr<std::string> CalibrateBundle(const std::string& bundle, const ModelLoader& load, const Dataset& dataset,
                                            const CalibrateOptions& options, const EvaluationControl& control) {
  ASSIGN_OR_RETURN(const Bundle opened, OpenBundle(bundle));
  ModelSpec spec = opened.spec;
  Calibration calibration = spec.calibration.value_or(Calibration());
  calibration.data = options.data;
  if (options.fit_temperature) {
    ASSIGN_OR_RETURN(const TemperatureFit fit, FitOnSplit(load, dataset, control));
    calibration.temperature = static_cast<float>(fit.temperature);
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Segmenter> model, load(calibration.temperature));
  ASSIGN_OR_RETURN(const EvaluationResult result, Evaluate(model.get(), nullptr, dataset, control));
  std::vector<PictureErrors> errors;
  for (const PictureFigures& picture : result.picture_figures) {
    errors.push_back({picture.mean_uncertainty, picture.wrong_pixels, picture.pixels});
  }
  ASSIGN_OR_RETURN(const ThresholdFit thresholds,
                   FitThresholds(errors, spec.default_kind(), options.error_rate, options.reject_error_rate));
  calibration.verdict = thresholds.verdict;
  calibration.reference = Calibration::Reference{spec.default_kind(), Shares(result.kinds[0].histogram)};
  spec.calibration = calibration;
  ASSIGN_OR_RETURN(spec.known_answer, AnswerOf(model.get()));
  RETURN_IF_ERROR(UpdateBundleSpec(bundle, spec));
  return TextOf(calibration, thresholds);
}

}  // namespace candor
