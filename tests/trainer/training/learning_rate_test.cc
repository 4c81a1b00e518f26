// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/learning_rate.h"

#include <cmath>

#include "gtest/gtest.h"

namespace candor {
namespace {

constexpr int64_t kSteps = 37200;  // 186 batches of 16 Cityscapes pictures, 200 epochs
constexpr double kPower = 0.9;

TEST(PolyFactorTest, BeginsAtOne) { EXPECT_EQ(PolyFactor(0, kSteps, kPower, 0), 1.0); }

TEST(PolyFactorTest, FollowsTheFormula) {
  EXPECT_DOUBLE_EQ(PolyFactor(1, kSteps, kPower, 0), std::pow(37199.0 / 37200.0, 0.9));
  EXPECT_DOUBLE_EQ(PolyFactor(kSteps / 2, kSteps, kPower, 0), 0.5358867312681466);  // 2 ^ -0.9
  EXPECT_DOUBLE_EQ(PolyFactor(3, 4, 2, 0), 0.0625);
}

TEST(PolyFactorTest, EndsAtZero) {
  EXPECT_EQ(PolyFactor(kSteps, kSteps, kPower, 0), 0.0);
  EXPECT_GT(PolyFactor(kSteps - 1, kSteps, kPower, 0), 0.0);
}

TEST(PolyFactorTest, PhaseOneIsOneStepAhead) {
  for (const int64_t step : {0, 1, 1000, 37198}) {
    EXPECT_EQ(PolyFactor(step, kSteps, kPower, 1), PolyFactor(step + 1, kSteps, kPower, 0)) << step;
  }
}

TEST(PolyFactorTest, IsNeverNegativeNorNan) {
  EXPECT_EQ(PolyFactor(kSteps, kSteps, kPower, 1), 0.0);
  EXPECT_EQ(PolyFactor(kSteps + 10, kSteps, kPower, 0), 0.0);
}

TEST(PolyFactorTest, PowerZeroIsConstant) {
  EXPECT_EQ(PolyFactor(0, 10, 0, 0), 1.0);
  EXPECT_EQ(PolyFactor(9, 10, 0, 0), 1.0);
}

}  // namespace
}  // namespace candor
