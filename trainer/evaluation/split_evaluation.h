// SPDX-License-Identifier: Apache-2.0
//
// A whole split, picture by picture: every pixel counts, and memory does not grow with their number.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/model/uncertainty_kind.h"
#include "trainer/evaluation/calibration.h"
#include "trainer/evaluation/confusion.h"
#include "trainer/evaluation/evaluation_result.h"
#include "trainer/evaluation/kind_evaluation.h"

namespace candor {

// A model's answer for a picture and the truth. Borrowed maps of [height][width].
struct ScoredPicture {
  std::string name;
  int width = 0;
  int height = 0;
  const uint8_t* truth = nullptr;         // 255: void
  const uint8_t* labels = nullptr;        // predicted
  std::vector<const float*> kind_maps;    // in the order of the kinds
  const float* probabilities = nullptr;   // mean softmax, [class][height][width]; null: no calibration figures
  const uint8_t* unknown_mask = nullptr;  // optional; 1 an object of no known class, 0 known, 255 left out
};

// 65,536 x classes x 12 bytes a kind (at most 64 MiB, up to 4 billion pixels) and some 6 MiB. Thread-compatible: one
// for each worker, then Merge.
class SplitEvaluation {
 public:
  // `kinds`: the model's, the default first. 2 to 255 classes. `fixed_shares`: the fixed thresholds of accuracy versus
  // uncertainty, as shares of a kind's range, in (0, 1).
  SplitEvaluation(std::vector<UncertaintyKind> kinds, int classes, std::vector<double> fixed_shares = {0.1, 0.25, 0.5});

  // InvalidArgument, and nothing is counted, if a map is missing, a label is no class, a value is not finite, or some
  // pictures have probabilities and some not. The message names picture, map and pixel.
  absl::Status AddPicture(const ScoredPicture& picture);

  // Adds what another one, built with the same arguments, has counted. InvalidArgument: one has probabilities only.
  absl::Status Merge(const SplitEvaluation& other);

  // Writes the measured figures: pictures, pixels, void_pixels, miou, accuracy, class_iou, confusion, calibration, rss,
  // kinds and picture_figures (lowest mIoU first, then by name; without a labelled pixel last). What could not be
  // measured is NaN.
  void Fill(EvaluationResult* result) const;

 private:
  absl::Status Check(const ScoredPicture& picture) const;

  std::vector<UncertaintyKind> kinds_;
  int classes_;
  ConfusionMatrix confusion_;
  CalibrationMeter calibration_;
  std::vector<KindEvaluation> kind_evaluations_;
  std::vector<PictureFigures> pictures_;
  int64_t void_pixels_ = 0;
  bool has_probabilities_ = false;      // of the pictures so far
  std::vector<PixelOutcome> outcomes_;  // of the picture being added
};

}  // namespace candor
