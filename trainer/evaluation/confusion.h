// SPDX-License-Identifier: Apache-2.0
//
// The confusion matrix of a picture or a split, and what follows from it.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace candor {

// Void pixels (255 in `truth`) are left out. Thread-compatible.
class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(int classes);

  // `truth` and `labels` are of equal size; all but void are below the class count.
  void Add(absl::Span<const uint8_t> truth, absl::Span<const uint8_t> labels);
  void Merge(const ConfusionMatrix& other);  // of as many classes

  int64_t pixels() const;
  int64_t correct() const;
  double Accuracy() const;  // NaN: no pixel

  // Intersection over union, class by class. NaN: neither present nor predicted.
  std::vector<double> ClassIou() const;
  // Mean over the classes with a union. NaN: no pixel. Equals mmsegmentation's nanmean.
  double MeanIou() const;

  std::vector<std::vector<int64_t>> Rows() const;  // [truth][predicted]

 private:
  int classes_;
  std::vector<int64_t> counts_;  // [truth][predicted]
};

// Mean of the values that are not NaN; NaN if there are none.
double MeanOfPresent(absl::Span<const double> values);

}  // namespace candor
