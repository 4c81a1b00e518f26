// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/reliable_segmentation_score.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace candor {
namespace {

// Landgraf and Ulrich's table of DeepLabv3+ with and without CutMix: mIoU, ECE, p(acc|cer), p(unc|inacc), RSS.
TEST(ReliableSegmentationScoreTest, ReproducesThePublishedScores) {
  EXPECT_NEAR(ReliableSegmentationScore(.743, .033, .912, .731), .826, 0.0005);
  EXPECT_NEAR(ReliableSegmentationScore(.743, .027, .943, .838), .864, 0.0005);
  EXPECT_NEAR(ReliableSegmentationScore(.774, .034, .931, .797), .859, 0.0005);
  EXPECT_NEAR(ReliableSegmentationScore(.754, .033, .947, .848), .870, 0.0005);
}

TEST(ReliableSegmentationScoreTest, AnyZeroIsZeroAndAnyNaNIsNaN) {
  EXPECT_EQ(ReliableSegmentationScore(0, .1, .9, .9), 0);
  EXPECT_TRUE(std::isnan(ReliableSegmentationScore(.7, std::numeric_limits<double>::quiet_NaN(), .9, .9)));
}

}  // namespace
}  // namespace candor
