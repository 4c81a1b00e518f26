// SPDX-License-Identifier: Apache-2.0
#include "client/bench/answer_check.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace candor {
namespace {

double Difference(float a, float b) { return std::abs(static_cast<double>(a) - static_cast<double>(b)); }

// Labels of equal size, or none.
double LabelAgreement(const ByteMap& a, const ByteMap& b) {
  if (a.values.empty()) return 1;
  int64_t equal = 0;
  for (size_t i = 0; i < a.values.size(); ++i) equal += a.values[i] == b.values[i] ? 1 : 0;
  return static_cast<double>(equal) / static_cast<double>(a.values.size());
}

// The uncertainty of a label that turned cannot be held against the server twice: such pixels are left out.
double GreatestDifference(const SegmentResult& a, const SegmentResult& b, size_t entry) {
  const UncertaintyResult& first = a.uncertainty[entry];
  const UncertaintyResult& second = b.uncertainty[entry];
  double greatest = Difference(first.figures.mean, second.figures.mean);
  const bool has_labels = !a.labels.values.empty();
  for (size_t i = 0; i < first.map.values.size(); ++i) {
    if (has_labels && a.labels.values[i] != b.labels.values[i]) continue;
    greatest = std::max(greatest, Difference(first.map.values[i], second.map.values[i]));
  }
  return greatest;
}

absl::Status CheckSameShape(const SegmentResult& reference, const SegmentResult& answer) {
  if (answer.model_digest != reference.model_digest) return absl::DataLossError("other weights answered");
  if (answer.width != reference.width || answer.height != reference.height) {
    return absl::DataLossError(absl::StrCat("the answer is ", answer.width, "x", answer.height, ", alone it was ",
                                            reference.width, "x", reference.height));
  }
  bool is_same = answer.labels.values.size() == reference.labels.values.size() &&
                 answer.uncertainty.size() == reference.uncertainty.size();
  for (size_t i = 0; is_same && i < answer.uncertainty.size(); ++i) {
    is_same = answer.uncertainty[i].figures.kind == reference.uncertainty[i].figures.kind &&
              answer.uncertainty[i].map.values.size() == reference.uncertainty[i].map.values.size();
  }
  return is_same ? absl::OkStatus() : absl::DataLossError("the answer has other parts than alone");
}

}  // namespace

absl::Status CompareWithReference(const SegmentResult& reference, const SegmentResult& answer, double bound,
                                  CheckFigures* figures) {
  if (absl::Status same = CheckSameShape(reference, answer); !same.ok()) return same;
  const double agreement = LabelAgreement(reference.labels, answer.labels);
  figures->least_label_agreement = std::min(figures->least_label_agreement, agreement);
  double difference = 0;
  for (size_t i = 0; i < answer.uncertainty.size(); ++i) {
    difference = std::max(difference, GreatestDifference(reference, answer, i));
  }
  figures->greatest_difference = std::max(figures->greatest_difference, difference);
  if (agreement < AnswerCheck::kMinAgreement) {
    return absl::DataLossError(absl::StrFormat("labels agree on %.3f %% of the pixels, must be >= %.2f %%",
                                               agreement * 100, AnswerCheck::kMinAgreement * 100));
  }
  if (difference > bound) {
    return absl::DataLossError(
        absl::StrFormat("uncertainty differs by %.3g, must be <= %.3g (--check-bound)", difference, bound));
  }
  return absl::OkStatus();
}

void AnswerCheck::Compare(int picture, const SegmentResult& answer) {
  CheckFigures own;
  const absl::Status status = CompareWithReference(references_[picture], answer, bound_, &own);
  absl::MutexLock lock(&mu_);
  ++figures_.compared;
  figures_.least_label_agreement = std::min(figures_.least_label_agreement, own.least_label_agreement);
  figures_.greatest_difference = std::max(figures_.greatest_difference, own.greatest_difference);
  if (status.ok()) return;
  if (figures_.mismatches++ == 0) figures_.first_mismatch = absl::StrCat(names_[picture], ": ", status.message());
}

CheckFigures AnswerCheck::figures() const {
  absl::MutexLock lock(&mu_);
  return figures_;
}

}  // namespace candor
