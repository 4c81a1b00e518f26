// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/threshold_fit.h"

#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;
constexpr UncertaintyKind kKind = UncertaintyKind::kMargin;

TEST(FitThresholdsTest, TakesTheLargestMeanThatKeepsTheErrorRate) {
  // Cumulative error rates by mean: 0.1: 1 %, 0.2: 2 %, 0.3: 5 %.
  const std::vector<PictureErrors> pictures = {{0.3, 11, 100}, {0.1, 1, 100}, {0.2, 3, 100}};
  const auto fit = FitThresholds(pictures, kKind, 0.02, 0.05);
  ASSERT_THAT(fit, IsOk());
  EXPECT_EQ(fit->verdict.kind, kKind);
  EXPECT_FLOAT_EQ(fit->verdict.accept_max, 0.2f);
  EXPECT_FLOAT_EQ(fit->verdict.review_max, 0.3f);
  EXPECT_FLOAT_EQ(fit->verdict.error_rate, 0.02f);
  EXPECT_FLOAT_EQ(fit->verdict.reject_error_rate, 0.05f);
  EXPECT_DOUBLE_EQ(fit->accepted, 2.0 / 3);
  EXPECT_DOUBLE_EQ(fit->not_rejected, 1);
}

TEST(FitThresholdsTest, ALaterPictureMayMakeUpForAnEarlierOne) {
  // Rates 10 %, then 1 %: the first prefix alone does not qualify, both together do.
  const auto fit = FitThresholds(std::vector<PictureErrors>{{0.1, 1, 10}, {0.2, 0, 90}}, kKind, 0.01, 0.01);
  ASSERT_THAT(fit, IsOk());
  EXPECT_FLOAT_EQ(fit->verdict.accept_max, 0.2f);
}

TEST(FitThresholdsTest, PicturesOfOneMeanGoTogether) {
  const std::vector<PictureErrors> pictures = {{0.1, 0, 100}, {0.2, 0, 100}, {0.2, 50, 100}};
  const auto fit = FitThresholds(pictures, kKind, 0, 0.5);
  ASSERT_THAT(fit, IsOk());
  EXPECT_FLOAT_EQ(fit->verdict.accept_max, 0.1f);
  EXPECT_FLOAT_EQ(fit->verdict.review_max, 0.2f);
}

TEST(FitThresholdsTest, ThePictureThatSetsAThresholdStaysBelowIt) {
  const double mean = static_cast<double>(0.1f) + 1e-9;  // the nearest float is 0.1f
  const auto fit = FitThresholds(std::vector<PictureErrors>{{mean, 0, 1}}, kKind, 0, 0);
  ASSERT_THAT(fit, IsOk());
  EXPECT_GE(static_cast<double>(fit->verdict.accept_max), mean);
}

TEST(FitThresholdsTest, NoQualifyingPictureIsSaid) {
  EXPECT_THAT(FitThresholds(std::vector<PictureErrors>{{0.1, 25, 100}}, kKind, 0.01, 0.5),
              HasStatus(absl::StatusCode::kFailedPrecondition,
                        HasSubstr("keeps an error rate of at most 0.01; the most certain picture has 0.25")));
  EXPECT_THAT(FitThresholds(std::vector<PictureErrors>{{0.1, 0, 0}}, kKind, 0.01, 0.5),
              HasStatus(absl::StatusCode::kFailedPrecondition, HasSubstr("none in 1 pictures")));
  EXPECT_THAT(FitThresholds({}, kKind, 0.01, 0.5), HasStatus(absl::StatusCode::kFailedPrecondition, HasSubstr("0")));
}

TEST(FitThresholdsTest, OddInputIsRefused) {
  const std::vector<PictureErrors> good = {{0.1, 0, 100}};
  EXPECT_THAT(FitThresholds(good, kKind, 0.5, 0.1),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("are 0.5 and 0.1")));
  EXPECT_THAT(FitThresholds(good, kKind, std::numeric_limits<double>::quiet_NaN(), 0.1),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("error rates")));
  EXPECT_THAT(FitThresholds(std::vector<PictureErrors>{{0.1, 5, 4}}, kKind, 0, 1),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("pictures[0]")));
}

}  // namespace
}  // namespace candor
