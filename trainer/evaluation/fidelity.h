// SPDX-License-Identifier: Apache-2.0
//
// How closely a student's uncertainty follows its teacher's, pixel by pixel and class by class.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "core/model/uncertainty_kind.h"
#include "trainer/evaluation/class_uncertainty.h"
#include "trainer/evaluation/evaluation_result.h"
#include "trainer/evaluation/rank_correlation.h"

namespace candor {

// Differences of class-wise uncertainty, first minus second; NaN where either is NaN.
struct ClassDifferences {
  std::vector<double> differences;
  double mean_signed = 0;    // over the classes with a difference; NaN: none
  double mean_absolute = 0;  // the same
  int within_001 = 0;        // |difference| <= 0.01
  int within_003 = 0;
};

ClassDifferences CompareClasses(absl::Span<const double> first, absl::Span<const double> second);

// Means and second central moments of pairs, merged as by Chan, Golub and LeVeque 1983: no loss of digits however many
// pixels.
class PairMoments {
 public:
  void Add(absl::Span<const float> x, absl::Span<const float> y);  // of equal size
  void Merge(const PairMoments& other);
  double Pearson() const;  // NaN: no pair, or x or y constant

 private:
  double count_ = 0;
  double x_mean_ = 0;
  double y_mean_ = 0;
  double xx_ = 0;
  double yy_ = 0;
  double xy_ = 0;
};

// Uncertainty and labels of one model for one picture, one value a pixel.
struct UncertaintyMap {
  absl::Span<const float> values;
  absl::Span<const uint8_t> labels;
};

// Takes pictures one by one. Void pixels count, as the distillation loss counts them. Thread-compatible.
class FidelityMeter {
 public:
  FidelityMeter(UncertaintyKind kind, int classes);

  // InvalidArgument: maps of different sizes, a label that is no class, or a value that is not finite or not above -1.
  absl::Status AddPicture(const UncertaintyMap& student, const UncertaintyMap& teacher);
  void Merge(const FidelityMeter& other);  // of the same kind and as many classes

  // NaN where nothing was added.
  FidelityFigures Figures(std::string teacher_name) const;

 private:
  UncertaintyKind kind_;
  int classes_;
  int64_t pixels_ = 0;
  int64_t same_label_ = 0;
  double absolute_ = 0;
  double squared_ = 0;
  double squared_log_ = 0;
  PairMoments moments_;
  RankCorrelation ranks_;
  ClassUncertainty student_;
  ClassUncertainty teacher_;
};

}  // namespace candor
