// SPDX-License-Identifier: Apache-2.0
//
// The fused pass written plainly, in double precision and with full-size tensors: what the fast one is held to.
#pragma once

#include <array>
#include <vector>

#include "core/model/uncertainty_kind.h"

namespace candor {

// Scores [members][classes][height][width].
struct ScoreGrid {
  int members = 1;
  int classes = 1;
  int height = 1;
  int width = 1;
  std::vector<float> values;

  float at(int m, int c, int y, int x) const {
    return values[((static_cast<size_t>(m) * classes + c) * height + y) * width + x];
  }
};

// Scores from a fixed generator, normally distributed with the given spread.
ScoreGrid RandomScores(int members, int classes, int height, int width, double spread, unsigned seed);

struct ReferencePixel {
  int label = 0;
  double lead = 0;                    // p1 - p2: how clear the label is
  double least_member_lead = 1;       // the same of each member's own label, the least over members
  std::vector<double> probabilities;  // by class, mean over members
  std::array<double, kAllUncertaintyKinds.size()> kinds{};
};

// The pixel (y, x) of the picture upsampled by 4, by the definitions of the table of kinds.
ReferencePixel ReferenceReduce(const ScoreGrid& scores, int y, int x);

// Bilinear sample, align_corners, of one plane.
double ReferenceSample(const ScoreGrid& scores, int m, int c, int y, int x);

}  // namespace candor
