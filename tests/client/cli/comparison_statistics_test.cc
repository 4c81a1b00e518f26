// SPDX-License-Identifier: Apache-2.0
#include "client/cli/comparison_statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace candor {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::Optional;

PairMoments MomentsOf(const std::vector<std::pair<double, double>>& pairs) {
  PairMoments moments;
  for (const auto& [a, b] : pairs) moments.Add(a, b);
  return moments;
}

TEST(PairMomentsTest, MatchHandComputation) {
  // Means 2 and 4; distances -1 0 1 and -2 2 0: products 2, squares 2 and 8, so r = 2 / sqrt(16) = 0.5.
  const PairMoments moments = MomentsOf({{1, 2}, {2, 6}, {3, 4}});
  EXPECT_EQ(moments.count(), 3);
  EXPECT_DOUBLE_EQ(moments.mean_a(), 2);
  EXPECT_DOUBLE_EQ(moments.mean_b(), 4);
  EXPECT_DOUBLE_EQ(moments.mean_absolute_difference(), (1 + 4 + 1) / 3.0);
  EXPECT_THAT(moments.Correlation(), Optional(DoubleNear(0.5, 1e-12)));
}

TEST(PairMomentsTest, LinearRelationsHaveCorrelationOne) {
  EXPECT_THAT(MomentsOf({{1, 10}, {2, 20}, {4, 40}}).Correlation(), Optional(DoubleNear(1, 1e-12)));
  EXPECT_THAT(MomentsOf({{1, -3}, {2, -6}, {4, -12}}).Correlation(), Optional(DoubleNear(-1, 1e-12)));
}

TEST(PairMomentsTest, CorrelationIsStableFarFromZero) {
  EXPECT_THAT(MomentsOf({{1e9 + 1, 2}, {1e9 + 2, 6}, {1e9 + 3, 4}}).Correlation(), Optional(DoubleNear(0.5, 1e-9)));
}

TEST(PairMomentsTest, ASideThatDoesNotVaryHasNoCorrelation) {
  EXPECT_EQ(MomentsOf({{0.1, 1}, {0.1, 2}, {0.1, 3}}).Correlation(), std::nullopt);
  EXPECT_EQ(MomentsOf({{1, 0.7}, {2, 0.7}}).Correlation(), std::nullopt);
  EXPECT_EQ(PairMoments().Correlation(), std::nullopt);
  EXPECT_EQ(PairMoments().mean_absolute_difference(), 0);
}

TEST(PairMomentsTest, MergedPartsAreTheWhole) {
  PairMoments merged = MomentsOf({{1, 2}});
  merged.Merge(PairMoments());
  merged.Merge(MomentsOf({{2, 6}, {3, 4}}));
  EXPECT_EQ(merged.count(), 3);
  EXPECT_DOUBLE_EQ(merged.mean_a(), 2);
  EXPECT_DOUBLE_EQ(merged.mean_b(), 4);
  EXPECT_DOUBLE_EQ(merged.mean_absolute_difference(), 2);
  EXPECT_THAT(merged.Correlation(), Optional(DoubleNear(0.5, 1e-12)));
}

TEST(AverageRanksTest, TiesShareTheMeanRank) {
  EXPECT_THAT(AverageRanks({0.5F, 0.1F, 0.5F, 0.9F, 0.5F}), ElementsAre(3, 1, 3, 5, 3));
  EXPECT_THAT(AverageRanks({7, 7}), ElementsAre(1.5, 1.5));
  EXPECT_THAT(AverageRanks({}), ElementsAre());
}

TEST(SpearmanCorrelationTest, MatchesTheFormulaWithoutTies) {
  // Ranks 1 2 3 4 5 and 2 1 4 3 5: 1 - 6 * (1 + 1 + 1 + 1) / (5 * 24) = 0.8.
  EXPECT_THAT(SpearmanCorrelation({1, 2, 3, 4, 5}, {0.2F, 0.1F, 40, 30, 500}), Optional(DoubleNear(0.8, 1e-12)));
}

TEST(SpearmanCorrelationTest, AveragesTies) {
  // Ranks 1.5 1.5 3 and 1 2 3: distances -0.5 -0.5 1 and -1 0 1: 1.5 / sqrt(1.5 * 2).
  EXPECT_THAT(SpearmanCorrelation({4, 4, 9}, {1, 2, 3}), Optional(DoubleNear(1.5 / std::sqrt(3.0), 1e-12)));
}

TEST(SpearmanCorrelationTest, SeesOnlyOrder) {
  EXPECT_THAT(SpearmanCorrelation({1, 2, 3}, {1, 100, 10000}), Optional(DoubleNear(1, 1e-12)));
  EXPECT_THAT(SpearmanCorrelation({1, 2, 3}, {9, 8, -7}), Optional(DoubleNear(-1, 1e-12)));
  EXPECT_EQ(SpearmanCorrelation({1, 1, 1}, {1, 2, 3}), std::nullopt);
}

TEST(CountEqualTest, CountsPositions) {
  EXPECT_EQ(CountEqual({1, 2, 3, 255}, {1, 3, 2, 255}), 2);
  EXPECT_EQ(CountEqual({}, {}), 0);
}

TEST(MedianTest, IsTheMiddle) {
  EXPECT_EQ(Median({9, 1, 4}), 4);
  EXPECT_EQ(Median({9, 1, 4, 6}), 5);
  EXPECT_EQ(Median({}), 0);
}

}  // namespace
}  // namespace candor
