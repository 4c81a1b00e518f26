// SPDX-License-Identifier: Apache-2.0
#include "client/bench/arrival_times.h"

#include <gtest/gtest.h>

#include <cmath>

namespace candor {
namespace {

TEST(ArrivalTimesTest, ConstantTimesAreMultiplesOfTheGap) {
  ArrivalTimes times(LoadMode::kConstant, 4, 1);
  for (int i = 0; i < 1000; ++i) EXPECT_DOUBLE_EQ(times.Next(), 0.25 * i);
}

TEST(ArrivalTimesTest, PoissonGapsHaveTheMeanAndTheSpreadOfTheExponential) {
  constexpr int kCount = 200'000;
  constexpr double kRate = 50;
  ArrivalTimes times(LoadMode::kPoisson, kRate, 7);
  double last = 0;
  double sum = 0;
  double squares = 0;
  int above_mean = 0;
  for (int i = 0; i < kCount; ++i) {
    const double now = times.Next();
    const double gap = (now - last) * kRate;
    ASSERT_GE(gap, 0);
    sum += gap;
    squares += gap * gap;
    above_mean += gap > 1 ? 1 : 0;
    last = now;
  }
  // Mean 1, second moment 2, P(gap > mean) = 1 / e; five standard errors each.
  const double root = std::sqrt(static_cast<double>(kCount));
  EXPECT_NEAR(sum / kCount, 1, 5 / root);
  EXPECT_NEAR(squares / kCount, 2, 5 * std::sqrt(20) / root);
  EXPECT_NEAR(static_cast<double>(above_mean) / kCount, std::exp(-1), 5 * 0.5 / root);
}

TEST(ArrivalTimesTest, TheSeedDecides) {
  ArrivalTimes one(LoadMode::kPoisson, 10, 1);
  ArrivalTimes same(LoadMode::kPoisson, 10, 1);
  ArrivalTimes other(LoadMode::kPoisson, 10, 2);
  const double first = one.Next();
  EXPECT_EQ(first, same.Next());
  EXPECT_NE(first, other.Next());
}

}  // namespace
}  // namespace candor
