// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/class_uncertainty.h"

#include <cmath>

#include "gtest/gtest.h"

namespace candor {
namespace {

// Class 0: 0.2, 0.4 in the first picture, 0.9 in the second; class 1: 0 and 0.5 in the first; class 2: never.
ClassUncertainty TwoPictures() {
  ClassUncertainty sums(3);
  sums.AddPicture(std::vector<float>{0.2f, 0.4f, 0, 0.5f}, std::vector<uint8_t>{0, 0, 1, 1});
  sums.AddPicture(std::vector<float>{0.9f}, std::vector<uint8_t>{0});
  return sums;
}

TEST(ClassUncertaintyTest, PooledIsTheMeanOverTheSplit) {
  const std::vector<double> means = TwoPictures().Pooled();
  EXPECT_NEAR(means[0], 0.5, 1e-7);
  EXPECT_NEAR(means[1], 0.25, 1e-7);
  EXPECT_TRUE(std::isnan(means[2]));
}

TEST(ClassUncertaintyTest, BatchIsTheMeanOfPicturesOverPixelsOtherThanZero) {
  const std::vector<double> means = TwoPictures().Batch();
  EXPECT_NEAR(means[0], (0.3 + 0.9) / 2, 1e-7);
  EXPECT_NEAR(means[1], 0.5, 1e-7);
  EXPECT_TRUE(std::isnan(means[2]));
}

TEST(ClassUncertaintyTest, AClassNeverPredictedIsLeftOutWhenPooledAndZeroInBatches) {
  EXPECT_NEAR(TwoPictures().PooledMean(), (0.5 + 0.25) / 2, 1e-7);
  EXPECT_NEAR(TwoPictures().BatchMean(), (0.6 + 0.5) / 3, 1e-7);
}

TEST(ClassUncertaintyTest, APictureWithZerosOnlyDoesNotCountInBatches) {
  ClassUncertainty sums = TwoPictures();
  sums.AddPicture(std::vector<float>{0, 0}, std::vector<uint8_t>{0, 0});
  EXPECT_NEAR(sums.Pooled()[0], 0.3, 1e-7);
  EXPECT_NEAR(sums.Batch()[0], 0.6, 1e-7);
}

TEST(ClassUncertaintyTest, MergeEqualsAddingAll) {
  ClassUncertainty first(3);
  first.AddPicture(std::vector<float>{0.2f, 0.4f, 0, 0.5f}, std::vector<uint8_t>{0, 0, 1, 1});
  ClassUncertainty second(3);
  second.AddPicture(std::vector<float>{0.9f}, std::vector<uint8_t>{0});
  first.Merge(second);
  EXPECT_DOUBLE_EQ(first.PooledMean(), TwoPictures().PooledMean());
  EXPECT_DOUBLE_EQ(first.BatchMean(), TwoPictures().BatchMean());
}

}  // namespace
}  // namespace candor
