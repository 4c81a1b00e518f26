// SPDX-License-Identifier: Apache-2.0
//
// Uncertainty by predicted class (DUDES, table 2). No truth is used: void pixels count.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace candor {

// Two ways, side by side. Pooled: one mean over all pixels of the split predicted as the class. Batch, as the authors'
// code (StevenLandgraf/DUDES, utils.py ClassUncertainty, a batch being one picture): the mean over pictures of the mean
// over the picture's pixels predicted so with an uncertainty other than 0. Thread-compatible.
class ClassUncertainty {
 public:
  explicit ClassUncertainty(int classes);

  // `labels` below the class count, of the size of `values`.
  void AddPicture(absl::Span<const float> values, absl::Span<const uint8_t> labels);
  void Merge(const ClassUncertainty& other);  // of as many classes

  // By class; NaN: never predicted (batch: never with an uncertainty other than 0).
  std::vector<double> Pooled() const;
  std::vector<double> Batch() const;

  double PooledMean() const;  // over the classes ever predicted
  double BatchMean() const;   // over all classes; one never predicted counts as 0

 private:
  struct Sums {
    double sum = 0;
    int64_t pixels = 0;
    double picture_means = 0;
    int64_t pictures = 0;
  };
  std::vector<Sums> sums_;
};

}  // namespace candor
