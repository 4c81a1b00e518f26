// SPDX-License-Identifier: Apache-2.0
//
// Three pictures of 50 x 40 pixels from a fixed integer generator, the same as in tools/make_metrics_golden.py.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/uncertainty_kind.h"
#include "trainer/evaluation/split_evaluation.h"

namespace candor {

// Class 5 is never true, class 6 neither true nor predicted.
struct SyntheticPicture {
  static constexpr int kClasses = 7;
  static constexpr int kWidth = 50;
  static constexpr int kHeight = 40;
  static constexpr int kPixels = kWidth * kHeight;

  std::string name;
  std::vector<uint8_t> truth;
  std::vector<uint8_t> labels;
  std::vector<uint8_t> unknown_mask;
  std::vector<float> probabilities;        // [class][pixel]
  std::vector<std::vector<float>> kinds;   // of kSyntheticKinds
  std::vector<float> teacher_uncertainty;  // in [0, 0.5)
  std::vector<float> student_uncertainty;
  std::vector<uint8_t> teacher_labels;

  ScoredPicture Scored() const;
};

// Not what their names say, but for the entropy: values all different, and in 17 steps.
inline const std::vector<UncertaintyKind> kSyntheticKinds = {UncertaintyKind::kMaxProbability, UncertaintyKind::kMargin,
                                                             UncertaintyKind::kPredictiveEntropy};

std::vector<SyntheticPicture> SyntheticSplit();

// Float in [0, 1): upper 24 bits of SplitMix64 at stream * 2^32 + index.
float SyntheticUnit(uint64_t stream, uint64_t index);

}  // namespace candor
