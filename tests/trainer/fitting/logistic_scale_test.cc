// SPDX-License-Identifier: Apache-2.0
#include "trainer/fitting/logistic_scale.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// 0, 3, 6, ... in another order.
std::vector<float> Ladder(int count) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i) values.push_back(3.0f * static_cast<float>(i * 37 % count));
  return values;
}

TEST(FitLogisticScaleTest, TheMedianIsHalfAndThe95thPercentileNineTenths) {
  const auto scale = FitLogisticScale(Ladder(101));
  ASSERT_THAT(scale, IsOk());
  EXPECT_DOUBLE_EQ(scale->median, 150);
  EXPECT_NEAR(Sigmoid((285 - scale->median) / scale->spread), 0.9, 1e-12);
}

TEST(FitLogisticScaleTest, WildValuesChangeNothing) {
  std::vector<float> values = Ladder(101);
  for (float& value : values) {
    if (value > 290) value = 1e30f;
    if (value < 100) value = -1e30f;
  }
  const auto wild = FitLogisticScale(values);
  const auto plain = FitLogisticScale(Ladder(101));
  ASSERT_THAT(wild, IsOk());
  EXPECT_EQ(wild->median, plain->median);
  EXPECT_EQ(wild->spread, plain->spread);
}

TEST(FitLogisticScaleTest, WhatHasNoScaleIsSaid) {
  EXPECT_THAT(FitLogisticScale({}),
              HasStatus(StatusCode::kFailedPrecondition, "scale: must have labelled pixels, has none"));
  EXPECT_THAT(FitLogisticScale(std::vector<float>(50, 2.5f)),
              HasStatus(StatusCode::kFailedPrecondition, HasSubstr("both are 2.5")));
  EXPECT_THAT(FitLogisticScale({1, std::numeric_limits<float>::infinity()}),
              HasStatus(StatusCode::kFailedPrecondition, HasSubstr("must be finite, one is inf")));
}

}  // namespace
}  // namespace candor
