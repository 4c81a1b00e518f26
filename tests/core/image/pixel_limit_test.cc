// SPDX-License-Identifier: Apache-2.0
//
// The largest picture that passes and the smallest that does not.
#include "core/image/pixel_limit.h"

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

TEST(PixelLimitTest, LimitItselfPasses) {
  EXPECT_THAT(CheckPixelCount("x", 3, 4, DecodeLimits{12}), IsOk());
  EXPECT_THAT(CheckPixelCount("x", 13, 1, DecodeLimits{12}),
              HasStatus(absl::StatusCode::kInvalidArgument, "x: 13 x 1 pixels, more than the limit of 12"));
}

TEST(PixelLimitTest, ProductsThatOverflowAreRefused) {
  constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(CheckPixelCount("x", kHuge, kHuge, {}),
              HasStatus(absl::StatusCode::kInvalidArgument, testing::HasSubstr("more than the limit of 16777216")));
  EXPECT_THAT(CheckPixelCount("x", kHuge, 2, DecodeLimits{kHuge}),
              HasStatus(absl::StatusCode::kInvalidArgument, testing::HasSubstr("more than")));
}

TEST(PixelLimitTest, SidesBelowOneAreRefused) {
  EXPECT_THAT(CheckPixelCount("x", 0, 5, {}),
              HasStatus(absl::StatusCode::kInvalidArgument, "x: 0 x 5 pixels, must be at least 1 x 1"));
  EXPECT_THAT(CheckPixelCount("x", 5, -1, {}),
              HasStatus(absl::StatusCode::kInvalidArgument, testing::HasSubstr("at least")));
}

}  // namespace
}  // namespace candor
