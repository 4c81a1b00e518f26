// SPDX-License-Identifier: Apache-2.0
//
// The keys of results.json, once for writing and reading. An archive has
//   Field(key, &value)    a value that is written and read,
//   Derived(key, value)   one that is written only: it follows from others.
// Included by result_json.cc and result_json_reader.cc.
#pragma once

#include <vector>

#include "core/model/uncertainty_kind.h"
#include "trainer/evaluation/evaluation_result.h"

namespace candor::result_json {

inline constexpr int kFormatVersion = 1;

template <typename Archive>
void Fields(Archive& archive, DetectionFigures& figures) {
  archive.Field("auroc", &figures.auroc);
  archive.Field("aupr", &figures.aupr);
  archive.Field("aupr_negative", &figures.aupr_negative);
  archive.Field("fpr95", &figures.fpr95);
  archive.Field("positives", &figures.positives);
  archive.Field("negatives", &figures.negatives);
}

template <typename Archive>
void Fields(Archive& archive, RejectionCurve& curve) {
  archive.Field("dropped", &curve.dropped);
  archive.Field("miou_present", &curve.miou_present);
  archive.Field("miou_all", &curve.miou_all);
  archive.Field("accuracy", &curve.accuracy);
  archive.Field("area", &curve.area);
}

template <typename Archive>
void Fields(Archive& archive, AccuracyVersusUncertainty& figures) {
  archive.Field("rule", &figures.rule);
  archive.Field("threshold", &figures.threshold);
  archive.Field("accurate_if_certain", &figures.accurate_if_certain);
  archive.Field("uncertain_if_inaccurate", &figures.uncertain_if_inaccurate);
  archive.Field("pavpu", &figures.pavpu);
  archive.Field("patch_accurate_if_certain", &figures.patch_accurate_if_certain);
  archive.Field("patch_uncertain_if_inaccurate", &figures.patch_uncertain_if_inaccurate);
  archive.Field("patch_pavpu", &figures.patch_pavpu);
}

template <typename Archive>
void Fields(Archive& archive, RiskCoverage& figures) {
  archive.Field("aurc", &figures.aurc);
  archive.Field("e_aurc", &figures.e_aurc);
  archive.Field("augrc", &figures.augrc);
  archive.Field("curve", &figures.curve);
}

template <typename Archive>
void Fields(Archive& archive, Sparsification& figures) {
  archive.Field("ause", &figures.ause);
  archive.Field("curve", &figures.curve);
  archive.Field("oracle", &figures.oracle);
}

// The kind itself is the key.
template <typename Archive>
void Fields(Archive& archive, KindFigures& figures) {
  archive.Derived("error_auroc", figures.errors.auroc);
  archive.Derived("rejection_curve", figures.rejection.miou_present);
  archive.Derived("munc", figures.munc_pooled);
  archive.Derived("class_uncertainty", figures.class_pooled);
  archive.Field("mean", &figures.mean);
  archive.Field("median", &figures.median);
  archive.Field("munc_pooled", &figures.munc_pooled);
  archive.Field("munc_batch", &figures.munc_batch);
  archive.Field("class_pooled", &figures.class_pooled);
  archive.Field("class_batch", &figures.class_batch);
  archive.Field("errors", &figures.errors);
  archive.Field("unknown", &figures.unknown);
  archive.Field("rejection", &figures.rejection);
  archive.Field("accuracy_versus_uncertainty", &figures.accuracy_versus_uncertainty);
  archive.Field("risk_coverage", &figures.risk_coverage);
  archive.Field("sparsification", &figures.sparsification);
  archive.Field("histogram", &figures.histogram);
}

template <typename Archive>
void Fields(Archive& archive, ReliabilityBin& bin) {
  archive.Field("confidence", &bin.confidence);
  archive.Field("accuracy", &bin.accuracy);
  archive.Field("pixels", &bin.pixels);
}

template <typename Archive>
void Fields(Archive& archive, CalibrationFigures& figures) {
  archive.Field("ece", &figures.ece);
  archive.Field("mce", &figures.mce);
  archive.Field("rmsce", &figures.rmsce);
  archive.Field("adaptive_ece", &figures.adaptive_ece);
  archive.Field("classwise_ece", &figures.classwise_ece);
  archive.Field("nll", &figures.nll);
  archive.Field("brier", &figures.brier);
  archive.Field("bins", &figures.bins);
}

template <typename Archive>
void Fields(Archive& archive, FidelityFigures& figures) {
  archive.Field("kind", &figures.kind);
  archive.Field("teacher", &figures.teacher);
  archive.Field("label_agreement", &figures.label_agreement);
  archive.Field("mae", &figures.mae);
  archive.Field("rmse", &figures.rmse);
  archive.Field("rmsle", &figures.rmsle);
  archive.Field("pearson", &figures.pearson);
  archive.Field("spearman", &figures.spearman);
  archive.Field("class_difference", &figures.class_difference);
  archive.Field("mean_signed_difference", &figures.mean_signed_difference);
  archive.Field("mean_absolute_difference", &figures.mean_absolute_difference);
  archive.Field("classes_within_001", &figures.classes_within_001);
  archive.Field("classes_within_003", &figures.classes_within_003);
}

template <typename Archive>
void Fields(Archive& archive, PictureFigures& figures) {
  archive.Field("name", &figures.name);
  archive.Field("accuracy", &figures.accuracy);
  archive.Field("miou", &figures.miou);
  archive.Field("mean_uncertainty", &figures.mean_uncertainty);
  archive.Field("pixels", &figures.pixels);
  archive.Field("wrong_pixels", &figures.wrong_pixels);
  archive.Field("picture_file", &figures.picture_file);
  archive.Field("labels_file", &figures.labels_file);
  archive.Field("truth_file", &figures.truth_file);
  archive.Field("uncertainty_file", &figures.uncertainty_file);
  archive.Field("error_file", &figures.error_file);
}

// The parts of a result that are objects of their own in the file.
struct ModelPart {
  EvaluationResult* result;
  std::vector<UncertaintyKind>* kinds;  // the default first; object members have no order
};
struct DataPart {
  EvaluationResult* result;
};

template <typename Archive>
void Fields(Archive& archive, ModelPart& part) {
  archive.Field("name", &part.result->model);
  archive.Field("kind", &part.result->kind);
  archive.Field("digest", &part.result->digest);
  archive.Field("width", &part.result->width);
  archive.Field("members", &part.result->members);
  archive.Field("precision", &part.result->precision);
  archive.Field("uncertainty", part.kinds);
}

template <typename Archive>
void Fields(Archive& archive, DataPart& part) {
  archive.Field("source", &part.result->data);
  archive.Field("split", &part.result->split);
  archive.Field("fingerprint", &part.result->fingerprint);
  archive.Field("pixels", &part.result->pixels);
  archive.Field("void_pixels", &part.result->void_pixels);
}

// All but format_version, kinds and definitions. `default_kind` is empty figures for a result without kinds.
template <typename Archive>
void TopFields(Archive& archive, EvaluationResult& result, const KindFigures& default_kind,
               std::vector<UncertaintyKind>& kinds) {
  ModelPart model{&result, &kinds};
  DataPart data{&result};
  archive.Field("model", &model);
  archive.Field("data", &data);
  archive.Field("pictures", &result.pictures);
  archive.Field("seconds", &result.seconds);
  archive.Field("miou", &result.miou);
  archive.Field("accuracy", &result.accuracy);
  archive.Field("class_iou", &result.class_iou);
  archive.Derived("munc", default_kind.munc_pooled);
  archive.Derived("class_uncertainty", default_kind.class_pooled);
  archive.Derived("rejection_curve", default_kind.rejection.miou_present);
  archive.Derived("error_auroc", default_kind.errors.auroc);
  archive.Derived("ece", result.calibration.ece);
  archive.Derived("nll", result.calibration.nll);
  archive.Derived("brier", result.calibration.brier);
  archive.Field("rss", &result.rss);
  archive.Field("classes", &result.classes);
  archive.Field("confusion", &result.confusion);
  archive.Field("calibration", &result.calibration);
  archive.Field("fidelity", &result.fidelity);
  archive.Field("picture_figures", &result.picture_figures);
}

}  // namespace candor::result_json
