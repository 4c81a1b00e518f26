// SPDX-License-Identifier: Apache-2.0
//
// Every figure of one kind of uncertainty, from one pass over a split's pictures.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "core/model/uncertainty_kind.h"
#include "trainer/evaluation/accuracy_versus_uncertainty.h"
#include "trainer/evaluation/class_uncertainty.h"
#include "trainer/evaluation/evaluation_result.h"
#include "trainer/evaluation/pixel_outcome.h"
#include "trainer/evaluation/rejection.h"
#include "trainer/evaluation/uncertainty_histogram.h"

namespace candor {

// Maps of one picture, one value a pixel, all of the size of `truth`.
struct PixelMaps {
  int width = 0;
  absl::Span<const uint8_t> truth;
  absl::Span<const uint8_t> labels;
  absl::Span<const PixelOutcome> outcomes;
  absl::Span<const uint8_t> unknown_mask;  // may be empty; 1 an object of no known class, 0 known, 255 left out
};

// Thread-compatible.
class KindEvaluation {
 public:
  KindEvaluation(UncertaintyKind kind, int classes, const std::vector<double>& fixed_shares);

  void AddPicture(absl::Span<const float> values, const PixelMaps& maps);
  void Merge(const KindEvaluation& other);  // built with the same arguments

  KindFigures Figures() const;

 private:
  UncertaintyKind kind_;
  float range_max_;
  UncertaintyHistogram histogram_;
  RejectionTable rejection_;
  ClassUncertainty class_uncertainty_;
  CertaintyMeter certainty_;
  std::vector<ScoreBin> unknown_bins_;  // empty until a picture has a mask; unknown pixels as positives
  std::vector<uint16_t> bins_;          // of the picture being added
};

}  // namespace candor
