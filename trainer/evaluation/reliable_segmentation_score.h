// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace candor {

// RSS of Landgraf and Ulrich: the harmonic mean of mIoU, 1 - ECE, p(accurate|certain) and p(uncertain|inaccurate), all
// with weight 1. 0 if one of the four is 0 or less, NaN if one is NaN.
double ReliableSegmentationScore(double miou, double ece, double accurate_if_certain, double uncertain_if_inaccurate);

}  // namespace candor
