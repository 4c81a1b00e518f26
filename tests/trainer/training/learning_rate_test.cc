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

// Huang et al. 2017, equation 2 with t - 1 = step: a0 / 2 (cos(pi mod(t - 1, ceil(T / M)) / ceil(T / M)) + 1).
TEST(CyclicFactorTest, FollowsThePapersEquation) {
  for (int64_t step = 0; step < 120; ++step) {
    EXPECT_NEAR(CyclicFactor(step, 120, 6), (std::cos(M_PI * static_cast<double>(step % 20) / 20) + 1) / 2, 1e-12)
        << step;
  }
  EXPECT_EQ(CyclicFactor(0, 120, 6), 1.0);
  EXPECT_EQ(CyclicFactor(20, 120, 6), 1.0);
  EXPECT_NEAR(CyclicFactor(30, 120, 6), 0.5, 1e-12);
}

TEST(CyclicFactorTest, EveryCycleEndsOnceAlsoWhereTheyDoNotDivideTheSteps) {
  for (const int64_t steps : {7, 10, 12, 121}) {
    int ends = 0;
    int64_t last = 0;
    for (int64_t done = 0; done <= steps; ++done) {
      if (!IsCycleEnd(done, steps, 7)) continue;
      ++ends;
      EXPECT_LE(std::abs((done - last) - steps / 7), 1) << steps;
      last = done;
      if (done < steps) {
        EXPECT_EQ(CyclicFactor(done, steps, 7), 1.0) << done;
      }
    }
    EXPECT_EQ(ends, 7) << steps;
    EXPECT_EQ(last, steps);
  }
}

TEST(TailFactorTest, FallsToTheTailsRateAndStaysThere) {
  OptimizerOptions options;
  options.schedule = LearningSchedule::kConstantTail;
  options.tail_share = 0.25;
  options.tail_factor = 0.4;
  options.poly_power = 1;
  EXPECT_DOUBLE_EQ(LearningFactor(0, 100, options), 1);
  EXPECT_DOUBLE_EQ(LearningFactor(25, 100, options), 0.8);  // a third of the way from 1 to 0.4
  EXPECT_DOUBLE_EQ(LearningFactor(74, 100, options), 0.4 + 0.6 / 75);
  EXPECT_DOUBLE_EQ(LearningFactor(75, 100, options), 0.4);
  EXPECT_DOUBLE_EQ(LearningFactor(99, 100, options), 0.4);
}

TEST(LearningFactorTest, TheScheduleChooses) {
  OptimizerOptions options;
  EXPECT_EQ(LearningFactor(10, 40, options), PolyFactor(10, 40, 0.9, 0));
  options.schedule = LearningSchedule::kCyclic;
  options.cycles = 4;
  EXPECT_EQ(LearningFactor(10, 40, options), 1.0);
}

}  // namespace
}  // namespace candor
