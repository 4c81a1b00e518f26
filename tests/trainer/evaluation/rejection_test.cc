// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/rejection.h"

#include <cmath>

#include "gtest/gtest.h"

namespace candor {
namespace {

// Ten pixels by rising uncertainty: one is dropped at each step.
RejectionCurve CurveOf(const std::vector<uint8_t>& truth, const std::vector<uint8_t>& labels, int classes) {
  std::vector<uint16_t> bins;
  for (size_t i = 0; i < truth.size(); ++i) bins.push_back(static_cast<uint16_t>(6000 * i));
  RejectionTable table(classes);
  table.Add(bins, truth, labels);
  return table.Curve();
}

TEST(RejectionTableTest, CurveNeedNotBeMonotone) {
  // The most certain pixel is the only wrong one: the fewer are kept, the worse.
  const std::vector<uint8_t> truth = {1, 0, 0, 0, 0, 1, 1, 1, 1, 1};
  const std::vector<uint8_t> labels = {0, 0, 0, 0, 0, 1, 1, 1, 1, 1};
  const RejectionCurve curve = CurveOf(truth, labels, 2);
  EXPECT_DOUBLE_EQ(curve.accuracy[0], 0.9);
  EXPECT_DOUBLE_EQ(curve.miou_present[0], (4.0 / 5 + 5.0 / 6) / 2);
  EXPECT_DOUBLE_EQ(curve.accuracy[8], 0.5);
  EXPECT_DOUBLE_EQ(curve.miou_present[8], 0.25);  // class 0: 1 of 2, class 1: 0 of 1
  EXPECT_DOUBLE_EQ(curve.accuracy[9], 0);
  EXPECT_DOUBLE_EQ(curve.miou_present[9], 0);
}

TEST(RejectionTableTest, AVanishedClassLeavesOneMeanAndIsZeroInTheOther) {
  const std::vector<uint8_t> truth = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1};
  const RejectionCurve curve = CurveOf(truth, std::vector<uint8_t>{0, 0, 0, 0, 0, 0, 0, 0, 1, 0}, 3);
  EXPECT_DOUBLE_EQ(curve.miou_present[0], (8.0 / 9 + 1.0 / 2) / 2);
  EXPECT_DOUBLE_EQ(curve.miou_all[0], (8.0 / 9 + 1.0 / 2) / 3);
  EXPECT_DOUBLE_EQ(curve.miou_present[2], 1);  // only class 0 is left: the jump of figure 4
  EXPECT_DOUBLE_EQ(curve.miou_all[2], 1.0 / 3);
}

TEST(RejectionTableTest, TiedPixelsAreKeptInProportion) {
  RejectionTable table(2);
  // All tied: dropping any share leaves the same mix.
  table.Add(std::vector<uint16_t>{7, 7, 7, 7}, std::vector<uint8_t>{0, 0, 1, 1}, std::vector<uint8_t>{0, 1, 1, 1});
  const RejectionCurve curve = table.Curve();
  for (int step = 0; step < 10; ++step) {
    EXPECT_NEAR(curve.miou_present[step], (1.0 / 2 + 2.0 / 3) / 2, 1e-12) << step;
    EXPECT_NEAR(curve.accuracy[step], 0.75, 1e-12) << step;
  }
  EXPECT_NEAR(curve.area, (1.0 / 2 + 2.0 / 3) / 2, 1e-12);
}

TEST(RejectionTableTest, VoidIsNotPartOfTheSplit) {
  RejectionTable table(2);
  table.Add(std::vector<uint16_t>{1, 2, 3}, std::vector<uint8_t>{0, 255, 1}, std::vector<uint8_t>{0, 1, 0});
  const RejectionCurve curve = table.Curve();
  EXPECT_DOUBLE_EQ(curve.accuracy[0], 0.5);
  EXPECT_DOUBLE_EQ(curve.accuracy[5], 1);  // one of two kept
}

TEST(RejectionTableTest, MergeEqualsAddingAll) {
  RejectionTable first(2);
  first.Add(std::vector<uint16_t>{7, 7}, std::vector<uint8_t>{0, 0}, std::vector<uint8_t>{0, 1});
  RejectionTable second(2);
  second.Add(std::vector<uint16_t>{7, 7}, std::vector<uint8_t>{1, 1}, std::vector<uint8_t>{1, 1});
  first.Merge(second);
  EXPECT_DOUBLE_EQ(first.Curve().miou_present[0], (1.0 / 2 + 2.0 / 3) / 2);
  first.Add(std::vector<uint16_t>{7, 7}, std::vector<uint8_t>{0, 0}, std::vector<uint8_t>{0, 0});
  EXPECT_DOUBLE_EQ(first.Curve().miou_present[0], (3.0 / 4 + 2.0 / 3) / 2);
}

TEST(RejectionTableTest, ManyClassesShareCoarserBins) {
  RejectionTable table(200);
  std::vector<uint16_t> bins;
  std::vector<uint8_t> truth;
  for (int i = 0; i < 10; ++i) {
    bins.push_back(static_cast<uint16_t>(6553 * i));
    truth.push_back(static_cast<uint8_t>(199 - i));
  }
  std::vector<uint8_t> labels = truth;
  labels[9] = 0;  // the most uncertain one is wrong
  table.Add(bins, truth, labels);
  EXPECT_DOUBLE_EQ(table.Curve().accuracy[0], 0.9);
  EXPECT_DOUBLE_EQ(table.Curve().accuracy[1], 1);
}

TEST(RejectionTableTest, NoPixelGivesNoFigure) {
  const RejectionCurve curve = RejectionTable(2).Curve();
  ASSERT_EQ(curve.miou_present.size(), 10u);
  EXPECT_TRUE(std::isnan(curve.miou_present[3]));
  EXPECT_TRUE(std::isnan(curve.area));
}

}  // namespace
}  // namespace candor
