// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/temperature_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/evaluation/synthetic_split.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

TEST(FitTemperatureTest, FindsTheMinimumOfAConvexFunction) {
  int calls = 0;
  const auto fit = FitTemperature([&](double t) {
    ++calls;
    return std::pow(1 / t - 1 / 2.5, 2) + 0.25;
  });
  ASSERT_THAT(fit, IsOk());
  EXPECT_NEAR(fit->temperature, 2.5, 2.5 * 1e-3);
  EXPECT_NEAR(fit->nll, 0.25, 1e-6);
  EXPECT_NEAR(fit->nll_before, 0.36 + 0.25, 1e-12);
  EXPECT_LE(calls, 20);
}

// Labels are drawn from the softmax of known scores, and the model's scores are `temperature` times those.
TEST(FitTemperatureTest, RecoversTheTemperatureOfASyntheticSet) {
  constexpr int kPixels = 20000;
  for (const double temperature : {0.5, 1.0, 1.8}) {
    std::vector<double> scores(kPixels);  // of class 0 against class 1
    std::vector<bool> first(kPixels);
    for (int i = 0; i < kPixels; ++i) {
      const double true_score = 6 * (static_cast<double>(SyntheticUnit(1, i)) - 0.5);
      first[i] = static_cast<double>(SyntheticUnit(2, i)) < 1 / (1 + std::exp(-true_score));
      scores[i] = temperature * true_score;
    }
    const auto fit = FitTemperature([&](double t) {
      double sum = 0;
      for (int i = 0; i < kPixels; ++i) sum += std::log1p(std::exp((first[i] ? -scores[i] : scores[i]) / t));
      return sum / kPixels;
    });
    ASSERT_THAT(fit, IsOk());
    // 20,000 draws fix the inverse temperature to about 1.2 % (Fisher information 0.36 a pixel).
    EXPECT_NEAR(fit->temperature / temperature, 1, 0.04);
    EXPECT_LE(fit->nll, fit->nll_before + 1e-9);
  }
}

TEST(FitTemperatureTest, AMinimumAtAnEndOfTheRangeIsSaid) {
  EXPECT_THAT(FitTemperature([](double t) { return t; }),
              HasStatus(absl::StatusCode::kFailedPrecondition, HasSubstr("falls up to 0.05")));
  EXPECT_THAT(FitTemperature([](double t) { return 1 / t; }, {0.5, 4}),
              HasStatus(absl::StatusCode::kFailedPrecondition, HasSubstr("falls up to 4")));
}

TEST(FitTemperatureTest, AFlatFunctionIsSaid) {
  EXPECT_THAT(FitTemperature([](double) { return 0.25; }),
              HasStatus(StatusCode::kFailedPrecondition, HasSubstr("must have one minimum, is 0.25 from ")));
  EXPECT_THAT(FitTemperature([](double t) { return std::max(0.0, t - 1); }),
              HasStatus(StatusCode::kFailedPrecondition, HasSubstr("must have one minimum, is 0 from ")));
}

// The first two temperatures asked for have one value, and the minimum is between them.
TEST(FitTemperatureTest, TwoEqualValuesAboutTheMinimumAreNoPlateau) {
  const auto fit = FitTemperature([](double t) { return std::abs(std::log(t)); }, {0.25, 4});
  ASSERT_THAT(fit, IsOk());
  EXPECT_NEAR(fit->temperature, 1, 1.1e-3);
}

TEST(FitTemperatureTest, WhatIsNotFiniteIsSaid) {
  EXPECT_THAT(FitTemperature([](double) { return std::numeric_limits<double>::quiet_NaN(); }),
              HasStatus(absl::StatusCode::kFailedPrecondition, HasSubstr("must be finite, is nan")));
}

TEST(FitTemperatureTest, AnEmptyRangeIsRefused) {
  EXPECT_THAT(FitTemperature([](double t) { return t; }, {2, 1}),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("are 2 and 1")));
  EXPECT_THAT(FitTemperature([](double t) { return t; }, {0, 1}),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("0 < min")));
}

}  // namespace
}  // namespace candor
