// SPDX-License-Identifier: Apache-2.0
#include "tests/trainer/report/sample_result.h"

#include <algorithm>
#include <cmath>

namespace candor {
namespace {

struct PaperClass {
  const char* name;
  Colour colour;
  double teacher_iou, student_iou;                  // percent, table 1
  double teacher_uncertainty, student_uncertainty;  // table 2
};

constexpr PaperClass kClasses[] = {
    {"road", {128, 64, 128}, 97.8, 98.0, .024, .018},
    {"sidewalk", {244, 35, 232}, 82.2, 83.5, .064, .065},
    {"building", {70, 70, 70}, 90.7, 91.4, .038, .035},
    {"wall", {102, 102, 156}, 50.4, 46.7, .150, .144},
    {"fence", {190, 153, 153}, 54.5, 55.7, .165, .160},
    {"pole", {153, 153, 153}, 54.9, 59.1, .100, .128},
    {"traffic light", {250, 170, 30}, 57.8, 63.3, .142, .112},
    {"traffic sign", {220, 220, 0}, 69.3, 73.3, .102, .097},
    {"vegetation", {107, 142, 35}, 91.5, 91.8, .025, .027},
    {"terrain", {152, 251, 152}, 62.7, 63.1, .101, .126},
    {"sky", {70, 130, 180}, 94.3, 94.2, .031, .025},
    {"person", {220, 20, 60}, 75.4, 79.0, .109, .117},
    {"rider", {255, 0, 0}, 53.5, 57.9, .120, .105},
    {"car", {0, 0, 142}, 93.2, 93.9, .043, .038},
    {"truck", {0, 0, 70}, 69.6, 74.7, .175, .200},
    {"bus", {0, 60, 100}, 75.9, 83.8, .163, .144},
    {"train", {0, 80, 100}, 64.0, 69.4, .195, .171},
    {"motorcycle", {0, 0, 230}, 47.6, 50.1, .158, .190},
    {"bicycle", {119, 11, 32}, 69.5, 73.6, .108, .150},
};

// Figure 4, percent, 0 to 90 % dropped.
const std::vector<double> kStudentCurve = {73.8, 79.4, 83.8, 85.2, 87.7, 88.3, 89.4, 89.6, 99.2, 99.6};
const std::vector<double> kTeacherCurve = {71.3, 77.8, 85.0, 88.7, 89.7, 88.7, 90.8, 92.5, 95.9, 100};

RejectionCurve Rejection(const std::vector<double>& percent, double accuracy) {
  RejectionCurve curve;
  for (size_t i = 0; i < percent.size(); ++i) {
    const double dropped = static_cast<double>(i) / 10;
    curve.dropped.push_back(dropped);
    curve.miou_present.push_back(percent[i] / 100);
    curve.miou_all.push_back(percent[i] / 100 * (1 - dropped * dropped * 0.7));
    curve.accuracy.push_back(1 - (1 - accuracy) * std::pow(1 - dropped, 3));
  }
  curve.area = 0.87;
  return curve;
}

DetectionFigures Detection(double auroc) { return {auroc, auroc - 0.5, 0.99, 1.1 - auroc, 41000, 910000}; }

KindFigures Kind(UncertaintyKind kind, double quality, double error_rate) {
  KindFigures figures;
  figures.kind = kind;
  figures.mean = 0.05 * UncertaintyKindMax(kind, 19);
  figures.median = figures.mean / 3;
  figures.errors = Detection(quality);
  figures.unknown = Detection(quality - 0.08);
  figures.accuracy_versus_uncertainty = {{"median", 0.02, 0.99, 0.93, 0.54, 0.99, 0.9, 0.56}};
  figures.risk_coverage = {error_rate / 8, error_rate / 10, error_rate / 9, {}};
  figures.sparsification.ause = (1 - quality) / 10;
  for (int i = 0; i <= 100; ++i) {
    const double share = i / 100.0;
    const double left = std::pow(1 - share, 20 * quality - 12);
    figures.risk_coverage.curve.push_back({share, error_rate * std::pow(share, 6)});
    figures.sparsification.curve.push_back({share, error_rate * left});
    figures.sparsification.oracle.push_back({share, std::max(0.0, (error_rate - share) / std::max(1 - share, 0.01))});
  }
  double total = 0;
  for (int bin = 0; bin < 64; ++bin) total += figures.histogram.emplace_back(bin > 45 ? 0 : std::exp(-bin * 0.18));
  for (double& share : figures.histogram) share /= total;
  return figures;
}

EvaluationResult Common(bool is_student) {
  EvaluationResult result;
  result.data = "cityscapes:/data/cityscapes";
  result.split = "val";
  result.fingerprint = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
  result.precision = "fp32";
  result.width = 64;
  result.pictures = 500;
  result.pixels = 917000000;
  result.void_pixels = 131576000;
  result.seconds = 512.4;
  const size_t count = std::size(kClasses);
  for (size_t c = 0; c < count; ++c) {
    const PaperClass& paper = kClasses[c];
    result.classes.push_back({paper.name, paper.colour});
    result.class_iou.push_back((is_student ? paper.student_iou : paper.teacher_iou) / 100);
    std::vector<int64_t>& row = result.confusion.emplace_back();
    const double recall = std::sqrt(result.class_iou.back());
    for (size_t p = 0; p < count; ++p) {
      const double share = p == c ? recall : (1 - recall) * 2 * static_cast<double>((p * 7 + c * 3) % 19) / 342;
      row.push_back(std::llround(share * 40e6 / static_cast<double>(c + 1)));
    }
  }
  return result;
}

void AddCalibration(EvaluationResult* result, double too_sure) {
  result->calibration = {0.031 + too_sure, 0.12, 0.045, 0.030, 0.004, 0.187 + too_sure, 0.081 + too_sure, {}};
  for (int bin = 0; bin < 15; ++bin) {
    const double confidence = (bin + 0.6) / 15;
    const int64_t pixels = bin < 2 ? 0 : std::llround(900e6 * std::pow(confidence, 18) / 1.4 + 1e5);
    result->calibration.bins.push_back({confidence, std::max(0.0, confidence - too_sure - 0.05), pixels});
  }
}

}  // namespace

EvaluationResult SampleTeacher() {
  EvaluationResult result = Common(false);
  result.model = "cityscapes-teacher";
  result.kind = ModelKind::kEnsemble;
  result.digest = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
  result.members = 10;
  result.miou = 0.713;
  result.accuracy = 0.951;
  result.rss = 0.826;
  AddCalibration(&result, 0.01);
  double quality = 0.93;
  for (const UncertaintyKind kind : kMemberUncertaintyKinds) {
    KindFigures figures = Kind(kind, quality, 0.049);
    figures.rejection = Rejection(kTeacherCurve, 0.951);
    for (const PaperClass& paper : kClasses) {
      figures.class_pooled.push_back(paper.teacher_uncertainty);
      figures.class_batch.push_back(paper.teacher_uncertainty);
    }
    figures.munc_pooled = figures.munc_batch = 0.106;
    result.kinds.push_back(figures);
    quality += kind == UncertaintyKind::kPredictiveStddev ? 0.012 : -0.004;
  }
  return result;
}

EvaluationResult SampleStudent() {
  EvaluationResult result = Common(true);
  result.model = "cityscapes-student";
  result.kind = ModelKind::kStudent;
  result.digest = "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9";
  result.miou = 0.738;
  result.accuracy = 0.955;
  result.rss = 0.835;
  AddCalibration(&result, 0.04);
  FidelityFigures fidelity;
  fidelity.teacher = "cityscapes-teacher";
  fidelity.label_agreement = 0.962;
  fidelity.mae = 0.0213;
  fidelity.rmse = 0.0512;
  fidelity.rmsle = 0.0444;
  fidelity.pearson = 0.842;
  fidelity.spearman = 0.801;
  double signed_sum = 0;
  double absolute_sum = 0;
  for (const PaperClass& paper : kClasses) {
    const double difference = paper.teacher_uncertainty - paper.student_uncertainty;
    fidelity.class_difference.push_back(difference);
    signed_sum += difference;
    absolute_sum += std::abs(difference);
  }
  fidelity.mean_signed_difference = signed_sum / 19;
  fidelity.mean_absolute_difference = absolute_sum / 19;
  fidelity.classes_within_001 = 10;
  fidelity.classes_within_003 = 17;
  result.fidelity = {fidelity};
  double quality = 0.921;
  for (const UncertaintyKind kind : {UncertaintyKind::kPredictiveStddev, UncertaintyKind::kPredictiveEntropy,
                                     UncertaintyKind::kMaxProbability, UncertaintyKind::kMargin}) {
    KindFigures figures = Kind(kind, quality, 0.045);
    figures.rejection = Rejection(kStudentCurve, 0.955);
    for (const PaperClass& paper : kClasses) {
      figures.class_pooled.push_back(paper.student_uncertainty);
      figures.class_batch.push_back(paper.student_uncertainty);
    }
    figures.munc_pooled = figures.munc_batch = 0.108;
    result.kinds.push_back(figures);
    quality += 0.003;
  }
  return result;
}

}  // namespace candor
