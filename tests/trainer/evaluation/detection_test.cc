// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/detection.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"

namespace candor {
namespace {

TEST(DetectionOfTest, PerfectOrderScoresOne) {
  const DetectionFigures figures = DetectionOf(std::vector<ScoreBin>{{0, 3}, {0, 0}, {2, 0}});
  EXPECT_DOUBLE_EQ(figures.auroc, 1);
  EXPECT_DOUBLE_EQ(figures.aupr, 1);
  EXPECT_DOUBLE_EQ(figures.aupr_negative, 1);
  EXPECT_DOUBLE_EQ(figures.fpr95, 0);
  EXPECT_EQ(figures.positives, 2);
  EXPECT_EQ(figures.negatives, 3);
}

TEST(DetectionOfTest, AllTiedIsChance) {
  const DetectionFigures figures = DetectionOf(std::vector<ScoreBin>{{1, 3}});
  EXPECT_DOUBLE_EQ(figures.auroc, 0.5);
  EXPECT_DOUBLE_EQ(figures.aupr, 0.25);  // the share of positives
  EXPECT_DOUBLE_EQ(figures.aupr_negative, 0.75);
  EXPECT_DOUBLE_EQ(figures.fpr95, 1);
}

TEST(DetectionOfTest, ATieCountsOneHalf) {
  // Scores: negatives 0, 1; positives 1, 2. Pairs won: 3 of 4 and a tie.
  EXPECT_DOUBLE_EQ(DetectionOf(std::vector<ScoreBin>{{0, 1}, {1, 1}, {1, 0}}).auroc, 3.5 / 4);
}

TEST(DetectionOfTest, AveragePrecisionIsAStepSum) {
  // From high scores down: positive, negative, positive: precision 1 at recall 1/2, 2/3 at recall 1.
  EXPECT_DOUBLE_EQ(DetectionOf(std::vector<ScoreBin>{{1, 0}, {0, 1}, {1, 0}}).aupr, 0.5 * 1 + 0.5 * 2 / 3);
}

TEST(DetectionOfTest, FalsePositiveRateIsAtTheFirstThresholdWith95PercentRecall) {
  // 19 of 20 positives lie above one of four negatives: recall 0.95 is reached there.
  const DetectionFigures figures = DetectionOf(std::vector<ScoreBin>{{1, 3}, {1, 0}, {0, 1}, {18, 0}});
  EXPECT_DOUBLE_EQ(figures.fpr95, 0.25);
}

TEST(DetectionOfTest, OneSideOnlyGivesNoFigure) {
  EXPECT_TRUE(std::isnan(DetectionOf(std::vector<ScoreBin>{{0, 3}}).auroc));
  EXPECT_TRUE(std::isnan(DetectionOf(std::vector<ScoreBin>{{3, 0}}).aupr));
  EXPECT_TRUE(std::isnan(DetectionOf(std::vector<ScoreBin>{}).fpr95));
}

}  // namespace
}  // namespace candor
