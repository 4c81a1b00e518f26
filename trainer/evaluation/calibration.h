// SPDX-License-Identifier: Apache-2.0
//
// How far confidences are from accuracies, over all labelled pixels of a split, in constant memory.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "trainer/evaluation/evaluation_result.h"

namespace candor {

inline constexpr int kCalibrationBins = 15;

// Confidence is the largest class probability. A confidence c lies in bin floor(15 c), and 1 in the last. The bins of
// equal mass are cut from 61,440 fine ones; a cut inside a fine bin takes its pixels in proportion, which moves the
// figure by at most the fine bin's width times its share. Thread-compatible.
class CalibrationMeter {
 public:
  explicit CalibrationMeter(int classes);

  // `probabilities` is [class][pixel], finite; `truth` and `labels` one a pixel. Void pixels are left out.
  void AddPicture(const float* probabilities, absl::Span<const uint8_t> truth, absl::Span<const uint8_t> labels);
  void Merge(const CalibrationMeter& other);  // of as many classes

  // All NaN and no bins if there was no labelled pixel.
  CalibrationFigures Figures() const;

 private:
  struct Bin {
    int64_t pixels = 0;
    int64_t correct = 0;
    double confidence = 0;  // sum

    void Add(const Bin& other) {
      pixels += other.pixels;
      correct += other.correct;
      confidence += other.confidence;
    }
  };
  // Of one class in one bin of its probability.
  struct ClassBin {
    double probability = 0;  // sum
    int64_t hits = 0;        // pixels of the class
  };

  // At most kChunk pixels from `first` on.
  void AddChunk(const float* probabilities, absl::Span<const uint8_t> truth, absl::Span<const uint8_t> labels,
                size_t first, size_t count);
  void AddPixel(float confidence, float truth_probability, float sum_of_squares, bool correct);
  double AdaptiveError() const;
  double ClasswiseError() const;

  int classes_;
  int64_t pixels_ = 0;
  double log_loss_ = 0;
  double brier_ = 0;
  std::vector<Bin> fine_bins_;        // 4096 for each of the 15
  std::vector<ClassBin> class_bins_;  // [class][bin]
};

}  // namespace candor
