// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/risk_coverage.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"

namespace candor {
namespace {

TEST(RiskCoverageOfTest, AreaIsByTrapezoidsOverCoverage) {
  // From the most certain on: right, wrong, right. Risk 0, 1/2, 1/3 at coverage 1/3, 2/3, 1.
  const std::vector<ScoreBin> bins = {{0, 1}, {1, 0}, {0, 1}};
  const RiskCoverage figures = RiskCoverageOf(bins);
  EXPECT_NEAR(figures.aurc, ((0 + 1.0 / 2) / 2 + (1.0 / 2 + 1.0 / 3) / 2) / 2, 1e-12);
  // Risk times coverage: 0, 1/3, 1/3.
  EXPECT_NEAR(figures.augrc, ((0 + 1.0 / 3) / 2 + (1.0 / 3 + 1.0 / 3) / 2) / 2, 1e-12);
  // The oracle: 0, 0, 1/3.
  EXPECT_NEAR(figures.e_aurc, figures.aurc - (1.0 / 3) / 2 / 2, 1e-12);
}

TEST(RiskCoverageOfTest, PerfectOrderHasNoExcess) {
  EXPECT_NEAR(RiskCoverageOf(std::vector<ScoreBin>{{0, 900}, {0, 50}, {40, 0}, {10, 0}}).e_aurc, 0, 1e-12);
  EXPECT_NEAR(SparsificationOf(std::vector<ScoreBin>{{0, 900}, {0, 50}, {40, 0}, {10, 0}}).ause, 0, 1e-12);
}

TEST(RiskCoverageOfTest, AllTiedHasTheSameRiskEverywhere) {
  const RiskCoverage figures = RiskCoverageOf(std::vector<ScoreBin>{{250, 750}});
  EXPECT_NEAR(figures.aurc, 0.25, 1e-12);
  ASSERT_EQ(figures.curve.size(), 100u);
  EXPECT_DOUBLE_EQ(figures.curve.front().x, 0.01);
  EXPECT_DOUBLE_EQ(figures.curve.back().x, 1);
  for (const CurvePoint& point : figures.curve) EXPECT_NEAR(point.y, 0.25, 1e-12);
}

TEST(RiskCoverageOfTest, ClosedFormHoldsForManyPixels) {
  // Summed directly, pixel by pixel: 3,000 with no error, then 7,000 with 10 %.
  const std::vector<ScoreBin> bins = {{0, 3000}, {700, 6300}};
  double sum = 0;
  double last = 0;
  for (int k = 1; k <= 10000; ++k) {
    last = k <= 3000 ? 0 : 0.1 * (k - 3000) / k;
    sum += last;
  }
  EXPECT_NEAR(RiskCoverageOf(bins).aurc, (sum - last / 2) / 9999, 1e-12);
}

TEST(RiskCoverageOfTest, LessThanTwoPixelsGiveNoFigure) {
  EXPECT_TRUE(std::isnan(RiskCoverageOf(std::vector<ScoreBin>{{1, 0}}).aurc));
  EXPECT_TRUE(RiskCoverageOf(std::vector<ScoreBin>{}).curve.empty());
}

TEST(SparsificationOfTest, CurvesStartAtTheErrorRateOfAll) {
  const Sparsification figures = SparsificationOf(std::vector<ScoreBin>{{20, 80}, {60, 40}});
  ASSERT_EQ(figures.curve.size(), 100u);
  EXPECT_DOUBLE_EQ(figures.curve[0].x, 0);
  EXPECT_NEAR(figures.curve[0].y, 0.4, 1e-12);
  EXPECT_NEAR(figures.curve[50].y, 0.2, 1e-12);  // the upper bin is dropped
  EXPECT_NEAR(figures.oracle[0].y, 0.4, 1e-12);
  EXPECT_NEAR(figures.oracle[20].y, (80.0 - 40) / 160, 1e-12);  // 40 of the 80 errors dropped
  EXPECT_NEAR(figures.oracle[40].y, 0, 1e-12);
}

TEST(SparsificationOfTest, NothingWrongGivesNoArea) {
  EXPECT_TRUE(std::isnan(SparsificationOf(std::vector<ScoreBin>{{0, 5}}).ause));
}

}  // namespace
}  // namespace candor
