// SPDX-License-Identifier: Apache-2.0
#include "trainer/report/ticks.h"

#include "gmock/gmock.h"

namespace candor {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::Pointwise;

// 100 / 6 = 16.7: the next of 1, 2, 5 times ten to the n is 20.
TEST(NiceStepTest, IsTheSmallestThatFits) {
  EXPECT_DOUBLE_EQ(NiceStep(0, 100, 6), 20);
  EXPECT_DOUBLE_EQ(NiceStep(0, 100, 10), 10);
  EXPECT_DOUBLE_EQ(NiceStep(0, 37200, 6), 10000);
  EXPECT_DOUBLE_EQ(NiceStep(71.3, 100, 6), 5);
  EXPECT_DOUBLE_EQ(NiceStep(0, 0.2, 6), 0.05);
  EXPECT_DOUBLE_EQ(NiceStep(0, 0.3, 3), 0.1);  // 0.3 / 3 rounds to just above 0.1
}

TEST(LinearTicksTest, LieOnMultiplesWithinTheRange) {
  const Ticks ticks = LinearTicks(71.3, 100, 6);
  EXPECT_THAT(ticks.values, ElementsAre(75, 80, 85, 90, 95, 100));
  EXPECT_THAT(ticks.labels, ElementsAre("75", "80", "85", "90", "95", "100"));
}

TEST(LinearTicksTest, LabelsHaveTheDigitsOfTheStep) {
  EXPECT_THAT(LinearTicks(0, 0.2, 6).labels, ElementsAre("0", "0.05", "0.10", "0.15", "0.20"));
  EXPECT_THAT(LinearTicks(0, 3, 6).labels, ElementsAre("0", "0.5", "1.0", "1.5", "2.0", "2.5", "3.0"));
  EXPECT_THAT(LinearTicks(0, 40000, 4).labels,
              ElementsAre("0", "10\u202F000", "20\u202F000", "30\u202F000", "40\u202F000"));
  EXPECT_THAT(LinearTicks(-1, 1, 4).labels, ElementsAre("\u22121.0", "\u22120.5", "0", "0.5", "1.0"));
  EXPECT_THAT(LinearTicks(0, 4e-7, 4).labels, ElementsAre("0", "1e-07", "2e-07", "3e-07", "4e-07"));
}

TEST(LogarithmicTicksTest, ArePowersOfTen) {
  const Ticks ticks = LogarithmicTicks(0.001, 100, 7);
  EXPECT_THAT(ticks.values, Pointwise(DoubleNear(1e-12), {0.001, 0.01, 0.1, 1.0, 10.0, 100.0}));
  EXPECT_THAT(ticks.labels, ElementsAre("0.001", "0.01", "0.1", "1", "10", "100"));
}

TEST(LogarithmicTicksTest, ManyDecadesAreThinnedOut) {
  EXPECT_THAT(LogarithmicTicks(1e-6, 1e5, 6).labels, ElementsAre("1e-06", "0.0001", "0.01", "1", "100", "10000"));
}

TEST(NiceRangeTest, GrowsToTicks) {
  const Range range = NiceRange({71.3, 99.9}, 6);
  EXPECT_DOUBLE_EQ(range.low, 70);
  EXPECT_DOUBLE_EQ(range.high, 100);
}

TEST(NiceRangeTest, OneValueGetsRoomOnBothSides) {
  const Range range = NiceRange({5, 5}, 6);
  EXPECT_LT(range.low, 5);
  EXPECT_GT(range.high, 5);
  const Range zero = NiceRange({0, 0}, 6);
  EXPECT_LT(zero.low, 0);
  EXPECT_GT(zero.high, 0);
}

TEST(NiceLogarithmicRangeTest, GrowsToPowersOfTen) {
  const Range range = NiceLogarithmicRange({0.004, 17});
  EXPECT_DOUBLE_EQ(range.low, 0.001);
  EXPECT_DOUBLE_EQ(range.high, 100);
}

TEST(NiceLogarithmicRangeTest, ZeroIsNoLowerEnd) {
  const Range range = NiceLogarithmicRange({0, 100});
  EXPECT_DOUBLE_EQ(range.low, 0.1);
  EXPECT_DOUBLE_EQ(range.high, 100);
  const Range none = NiceLogarithmicRange({0, 0});
  EXPECT_GT(none.low, 0);
  EXPECT_GT(none.high, none.low);
}

}  // namespace
}  // namespace candor
