// SPDX-License-Identifier: Apache-2.0
//
// What an evaluation finds: every figure of results.json, as plain data. Definitions by name are in
// metric_definitions.h and are written into the file. Void pixels (label 255) are left out unless said otherwise.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/model/model_spec.h"
#include "core/model/uncertainty_kind.h"

namespace candor {

// Finding the positive pixels (wrong ones, or objects of no known class) by uncertainty, high first.
struct DetectionFigures {
  double auroc = 0;
  double aupr = 0;           // average precision of the positives
  double aupr_negative = 0;  // of the others, by low uncertainty
  double fpr95 = 0;          // false-positive rate at the first threshold that finds >= 95 % of the positives
  int64_t positives = 0;
  int64_t negatives = 0;
};

// Figure 4 of DUDES: figures over the pixels left after dropping the most uncertain share of the split.
struct RejectionCurve {
  std::vector<double> dropped;       // 0, 0.1, ... 0.9
  std::vector<double> miou_present;  // classes without union among the pixels left are left out of the mean
  std::vector<double> miou_all;      // such classes count as 0
  std::vector<double> accuracy;
  double area = 0;  // under miou_present, trapezoid, divided by the range of `dropped`
};

// Mukhoti and Gal 2018; `threshold` on this kind parts certain from uncertain pixels.
struct AccuracyVersusUncertainty {
  std::string rule;      // "median" or "mean" of each picture, or "fixed"
  double threshold = 0;  // of rule "fixed"; else the mean of the pictures' thresholds
  double accurate_if_certain = 0;
  double uncertain_if_inaccurate = 0;
  double pavpu = 0;
  // The same over windows of 4 x 4 pixels: accurate if more than half of its pixels are, uncertain by mean uncertainty.
  double patch_accurate_if_certain = 0;
  double patch_uncertain_if_inaccurate = 0;
  double patch_pavpu = 0;
};

struct CurvePoint {
  double x = 0;
  double y = 0;
};

// Geifman et al. 2019: error rate against coverage, most certain pixels first.
struct RiskCoverage {
  double aurc = 0;
  double e_aurc = 0;              // aurc minus that of an oracle that puts all errors last
  double augrc = 0;               // Traub et al. 2024
  std::vector<CurvePoint> curve;  // (coverage, risk), at most 101 points
};

// Ilg et al. 2018: error rate left after dropping the most uncertain share, against an oracle's order.
struct Sparsification {
  double ause = 0;
  std::vector<CurvePoint> curve;  // (share dropped, error rate left), at most 101 points
  std::vector<CurvePoint> oracle;
};

struct KindFigures {
  UncertaintyKind kind = UncertaintyKind::kPredictiveEntropy;
  double mean = 0;  // over all pixels, void included
  double median = 0;
  // By predicted class, over all pixels, void included. Pooled: one mean over the split. Batch: as the authors' code:
  // mean over pictures of each picture's mean over pixels predicted so whose uncertainty is not 0. NaN: never
  // predicted.
  std::vector<double> class_pooled;
  std::vector<double> class_batch;
  double munc_pooled = 0;  // mean over classes ever predicted
  double munc_batch = 0;   // mean over classes; one never predicted counts as 0
  DetectionFigures errors;
  std::optional<DetectionFigures> unknown;  // objects of no known class, where the data set marks them
  RejectionCurve rejection;
  std::vector<AccuracyVersusUncertainty> accuracy_versus_uncertainty;
  RiskCoverage risk_coverage;
  Sparsification sparsification;
  std::vector<double> histogram;  // share of all pixels in 64 equal bins over the kind's range
};

struct ReliabilityBin {
  double confidence = 0;  // mean over the bin's pixels
  double accuracy = 0;
  int64_t pixels = 0;
};

struct CalibrationFigures {
  double ece = 0;  // 15 equal bins; confidence 0 is in the first, 1 in the last
  double mce = 0;
  double rmsce = 0;
  double adaptive_ece = 0;  // bins of equal mass
  double classwise_ece = 0;
  double nll = 0;    // nats
  double brier = 0;  // [0, 2]
  std::vector<ReliabilityBin> bins;
};

// A student's uncertainty q against its teacher's z, pixel by pixel, void included.
struct FidelityFigures {
  UncertaintyKind kind = UncertaintyKind::kPredictiveStddev;
  std::string teacher;  // bundle name
  double label_agreement = 0;
  double mae = 0;
  double rmse = 0;
  double rmsle = 0;
  double pearson = 0;
  double spearman = 0;
  std::vector<double> class_difference;  // class_pooled of the teacher minus the student's; NaN: one never predicts it
  double mean_signed_difference = 0;     // over classes
  double mean_absolute_difference = 0;
  int classes_within_001 = 0;  // |difference| <= 0.01
  int classes_within_003 = 0;
};

struct PictureFigures {
  std::string name;
  double accuracy = 0;
  double miou = 0;              // over the classes present in it or predicted
  double mean_uncertainty = 0;  // of the default kind, over all pixels, void included
  int64_t pixels = 0;           // void left out
  int64_t wrong_pixels = 0;
  // Files below the results' folder, empty if not written: picture, labels, truth, uncertainty and error map.
  std::string picture_file;
  std::string labels_file;
  std::string truth_file;
  std::string uncertainty_file;
  std::string error_file;
};

struct EvaluationResult {
  std::string model;  // bundle name
  ModelKind kind = ModelKind::kSingle;
  std::string digest;
  int width = 0;
  int members = 1;
  std::string data;  // as on the command line
  std::string split;
  std::string fingerprint;
  std::string precision;
  std::vector<ClassSpec> classes;
  int64_t pictures = 0;
  int64_t pixels = 0;  // void left out
  int64_t void_pixels = 0;
  double seconds = 0;

  double miou = 0;  // one confusion matrix; mean over classes with a non-zero union
  double accuracy = 0;
  std::vector<double> class_iou;                // NaN: no union
  std::vector<std::vector<int64_t>> confusion;  // [truth][predicted]
  CalibrationFigures calibration;
  double rss = 0;                  // harmonic mean of miou, 1 - ece, p(acc|cer), p(unc|inacc) (entropy, median rule)
  std::vector<KindFigures> kinds;  // the model's default kind first
  std::vector<FidelityFigures> fidelity;
  std::vector<PictureFigures> picture_figures;  // worst first
};

}  // namespace candor
