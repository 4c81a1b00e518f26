// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/rank_correlation.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"

namespace candor {
namespace {

double SpearmanOf(const std::vector<float>& x, const std::vector<float>& y) {
  RankCorrelation ranks(1);
  ranks.Add(x, y);
  return ranks.Spearman();
}

TEST(RankCorrelationTest, AnyRisingMapIsOne) {
  EXPECT_NEAR(SpearmanOf({0, 0.1f, 0.5f, 0.9f}, {0.2f, 0.21f, 0.22f, 1}), 1, 1e-12);
}

TEST(RankCorrelationTest, AnyFallingMapIsMinusOne) {
  EXPECT_NEAR(SpearmanOf({0, 0.1f, 0.5f, 0.9f}, {0.9f, 0.7f, 0.1f, 0}), -1, 1e-12);
}

TEST(RankCorrelationTest, TextbookFormulaHoldsWithoutTies) {
  // Ranks 1 2 3 4 5 against 2 1 4 3 5: 1 - 6 * 4 / (5 * 24).
  EXPECT_NEAR(SpearmanOf({0.1f, 0.2f, 0.3f, 0.4f, 0.5f}, {0.2f, 0.1f, 0.4f, 0.3f, 0.5f}), 0.8, 1e-12);
}

TEST(RankCorrelationTest, TiesHaveTheMeanRank) {
  // Ranks 1.5 1.5 3 against 1 2 3: Pearson of those is sqrt(3) / 2.
  EXPECT_NEAR(SpearmanOf({0.1f, 0.1f, 0.8f}, {0.1f, 0.2f, 0.3f}), std::sqrt(3.0) / 2, 1e-12);
}

TEST(RankCorrelationTest, ConstantsHaveNoCorrelation) {
  EXPECT_TRUE(std::isnan(SpearmanOf({0.5f, 0.5f}, {0.1f, 0.2f})));
  EXPECT_TRUE(std::isnan(SpearmanOf({}, {})));
}

TEST(RankCorrelationTest, MergeEqualsAddingAll) {
  RankCorrelation first(1);
  first.Add(std::vector<float>{0.1f, 0.2f}, std::vector<float>{0.2f, 0.1f});
  RankCorrelation second(1);
  second.Add(std::vector<float>{0.3f, 0.4f, 0.5f}, std::vector<float>{0.4f, 0.3f, 0.5f});
  first.Merge(second);
  EXPECT_NEAR(first.Spearman(), 0.8, 1e-12);
}

}  // namespace
}  // namespace candor
