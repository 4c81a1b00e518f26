// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/reliable_segmentation_score.h"

#include <array>
#include <cmath>

namespace candor {

double ReliableSegmentationScore(double miou, double ece, double accurate_if_certain, double uncertain_if_inaccurate) {
  double inverse_sum = 0;
  bool has_zero = false;
  for (double part : std::array<double, 4>{miou, 1 - ece, accurate_if_certain, uncertain_if_inaccurate}) {
    if (std::isnan(part)) return part;
    has_zero |= part <= 0;
    inverse_sum += 1 / part;
  }
  return has_zero ? 0 : 4 / inverse_sum;
}

}  // namespace candor
