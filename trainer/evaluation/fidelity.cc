// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/fidelity.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "trainer/evaluation/confusion.h"

namespace candor {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

absl::Status CheckMap(const UncertaintyMap& map, absl::string_view whose, int classes) {
  for (size_t i = 0; i < map.values.size(); ++i) {
    if (!std::isfinite(map.values[i]) || map.values[i] <= -1) {
      return absl::InvalidArgumentError(
          absl::StrCat(whose, " uncertainty[", i, "]: must be finite and above -1, is ", map.values[i]));
    }
    if (map.labels[i] >= classes) {
      return absl::InvalidArgumentError(
          absl::StrCat(whose, " labels[", i, "]: must be below ", classes, ", is ", static_cast<int>(map.labels[i])));
    }
  }
  return absl::OkStatus();
}

}  // namespace

ClassDifferences CompareClasses(absl::Span<const double> first, absl::Span<const double> second) {
  // A difference of two decimals such as 0.05 - 0.04 is not 0.01 to the last bit.
  constexpr double kRounding = 1e-12;
  ClassDifferences result;
  std::vector<double> sizes;
  for (size_t c = 0; c < first.size(); ++c) {
    result.differences.push_back(first[c] - second[c]);
    const double size = std::abs(result.differences.back());
    sizes.push_back(size);
    result.within_001 += size <= 0.01 + kRounding ? 1 : 0;
    result.within_003 += size <= 0.03 + kRounding ? 1 : 0;
  }
  result.mean_signed = MeanOfPresent(result.differences);
  result.mean_absolute = MeanOfPresent(sizes);
  return result;
}

void PairMoments::Add(absl::Span<const float> x, absl::Span<const float> y) {
  if (x.empty()) return;
  PairMoments part;
  part.count_ = static_cast<double>(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    part.x_mean_ += x[i];
    part.y_mean_ += y[i];
  }
  part.x_mean_ /= part.count_;
  part.y_mean_ /= part.count_;
  for (size_t i = 0; i < x.size(); ++i) {
    const double dx = x[i] - part.x_mean_;
    const double dy = y[i] - part.y_mean_;
    part.xx_ += dx * dx;
    part.yy_ += dy * dy;
    part.xy_ += dx * dy;
  }
  Merge(part);
}

void PairMoments::Merge(const PairMoments& other) {
  if (other.count_ == 0) return;
  const double both = count_ + other.count_;
  const double dx = other.x_mean_ - x_mean_;
  const double dy = other.y_mean_ - y_mean_;
  const double weight = count_ * other.count_ / both;
  xx_ += other.xx_ + dx * dx * weight;
  yy_ += other.yy_ + dy * dy * weight;
  xy_ += other.xy_ + dx * dy * weight;
  x_mean_ += dx * other.count_ / both;
  y_mean_ += dy * other.count_ / both;
  count_ = both;
}

double PairMoments::Pearson() const {
  if (count_ == 0 || xx_ == 0 || yy_ == 0) return kNaN;
  return std::clamp(xy_ / std::sqrt(xx_) / std::sqrt(yy_), -1.0, 1.0);
}

FidelityMeter::FidelityMeter(UncertaintyKind kind, int classes)
    : kind_(kind), classes_(classes), ranks_(UncertaintyKindMax(kind, classes)), student_(classes), teacher_(classes) {}

absl::Status FidelityMeter::AddPicture(const UncertaintyMap& student, const UncertaintyMap& teacher) {
  const size_t pixels = student.values.size();
  if (student.labels.size() != pixels || teacher.values.size() != pixels || teacher.labels.size() != pixels) {
    return absl::InvalidArgumentError(
        absl::StrCat("uncertainty and labels of student and teacher: must be of one size, are ", pixels, ", ",
                     student.labels.size(), ", ", teacher.values.size(), " and ", teacher.labels.size(), " pixels"));
  }
  RETURN_IF_ERROR(CheckMap(student, "student", classes_));
  RETURN_IF_ERROR(CheckMap(teacher, "teacher", classes_));
  for (size_t i = 0; i < pixels; ++i) {
    const double q = student.values[i];
    const double z = teacher.values[i];
    const double log_ratio = std::log1p((z - q) / (1 + q));  // log1p(z) - log1p(q) in one logarithm
    absolute_ += std::abs(z - q);
    squared_ += (z - q) * (z - q);
    squared_log_ += log_ratio * log_ratio;
    same_label_ += student.labels[i] == teacher.labels[i] ? 1 : 0;
  }
  pixels_ += static_cast<int64_t>(pixels);
  moments_.Add(student.values, teacher.values);
  ranks_.Add(student.values, teacher.values);
  student_.AddPicture(student.values, student.labels);
  teacher_.AddPicture(teacher.values, teacher.labels);
  return absl::OkStatus();
}

void FidelityMeter::Merge(const FidelityMeter& other) {
  pixels_ += other.pixels_;
  same_label_ += other.same_label_;
  absolute_ += other.absolute_;
  squared_ += other.squared_;
  squared_log_ += other.squared_log_;
  moments_.Merge(other.moments_);
  ranks_.Merge(other.ranks_);
  student_.Merge(other.student_);
  teacher_.Merge(other.teacher_);
}

FidelityFigures FidelityMeter::Figures(std::string teacher_name) const {
  const double pixels = pixels_ == 0 ? kNaN : static_cast<double>(pixels_);
  FidelityFigures figures;
  figures.kind = kind_;
  figures.teacher = std::move(teacher_name);
  figures.label_agreement = static_cast<double>(same_label_) / pixels;
  figures.mae = absolute_ / pixels;
  figures.rmse = std::sqrt(squared_ / pixels);
  figures.rmsle = std::sqrt(squared_log_ / pixels);
  figures.pearson = moments_.Pearson();
  figures.spearman = ranks_.Spearman();
  ClassDifferences classes = CompareClasses(teacher_.Pooled(), student_.Pooled());
  figures.class_difference = std::move(classes.differences);
  figures.mean_signed_difference = classes.mean_signed;
  figures.mean_absolute_difference = classes.mean_absolute;
  figures.classes_within_001 = classes.within_001;
  figures.classes_within_003 = classes.within_003;
  return figures;
}

}  // namespace candor
