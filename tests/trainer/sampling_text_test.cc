// SPDX-License-Identifier: Apache-2.0
#include "trainer/sampling_text.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

TEST(ParseSamplingTest, DropoutHasRateAndPasses) {
  const auto sampling = ParseSampling("mc_dropout:0.2:10");
  ASSERT_THAT(sampling, IsOk());
  EXPECT_EQ(sampling->method, SamplingMethod::kMcDropout);
  EXPECT_FLOAT_EQ(sampling->dropout, 0.2f);
  EXPECT_EQ(sampling->passes, 10);
}

TEST(ParseSamplingTest, AugmentationHasViews) {
  const auto sampling = ParseSampling("augmentation:1,1f,0.75f");
  ASSERT_THAT(sampling, IsOk());
  EXPECT_EQ(sampling->method, SamplingMethod::kAugmentation);
  ASSERT_EQ(sampling->views.size(), 3u);
  EXPECT_FALSE(sampling->views[0].flip);
  EXPECT_TRUE(sampling->views[2].flip);
  EXPECT_FLOAT_EQ(sampling->views[2].scale, 0.75f);
}

TEST(ParseSamplingTest, OtherTextsAreRefused) {
  for (const char* text : {"", "mc_dropout", "mc_dropout:0.2", "mc_dropout:x:10", "augmentation:", "augmentation:1,,2",
                           "augmentation:f", "ensemble:3"}) {
    EXPECT_THAT(ParseSampling(text),
                HasStatus(absl::StatusCode::kInvalidArgument, testing::HasSubstr("sampling: must be")))
        << text;
  }
}

}  // namespace
}  // namespace candor
