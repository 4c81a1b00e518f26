// SPDX-License-Identifier: Apache-2.0
#include "server/shadow/comparison.h"

#include <cmath>

#include "gtest/gtest.h"

namespace candor {
namespace {

Segmentation Of(std::vector<uint8_t> labels, std::vector<float> map) {
  Segmentation result;
  result.labels = std::move(labels);
  result.kinds.resize(1);
  result.kinds[0].map = std::move(map);
  return result;
}

TEST(ComparisonTest, OfAModelWithItselfIsPerfect) {
  const Segmentation a = Of({0, 1, 2}, {0.1F, 0.2F, 0.6F});
  const Comparison same = Compare(a, a);
  EXPECT_EQ(same.agreement, 1);
  EXPECT_EQ(same.rmse, 0);
  EXPECT_NEAR(same.correlation, 1, 1e-12);
}

TEST(ComparisonTest, FollowsTheDefinitions) {
  // Deviations from the means 0.25 and 0.5: (-.25 .25 .25 -.25) and (.5 -.5 0 0); Pearson = -.25 / sqrt(.25 * .5).
  const Comparison result = Compare(Of({0, 1, 2, 3}, {0, 0.5F, 0.5F, 0}), Of({0, 1, 0, 0}, {1, 0, 0.5F, 0.5F}));
  EXPECT_EQ(result.agreement, 0.5);
  EXPECT_NEAR(result.rmse, std::sqrt((1 + 0.25 + 0 + 0.25) / 4), 1e-7);
  EXPECT_NEAR(result.correlation, -0.25 / std::sqrt(0.25 * 0.5), 1e-7);
}

TEST(ComparisonTest, AConstantMapHasNoCorrelation) {
  EXPECT_EQ(Compare(Of({0, 0}, {0.5F, 0.5F}), Of({0, 0}, {0.1F, 0.9F})).correlation, 0);
}

}  // namespace
}  // namespace candor
