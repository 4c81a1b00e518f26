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

TEST(ParseSamplingTest, WeightsHavePasses) {
  const auto whole = ParseSampling("weight_samples:10");
  ASSERT_THAT(whole, IsOk());
  EXPECT_EQ(whole->method, SamplingMethod::kWeightSamples);
  EXPECT_EQ(whole->passes, 10);
  EXPECT_FALSE(whole->is_decoder_only);
  EXPECT_TRUE(ParseSampling("weight_samples:10:decoder")->is_decoder_only);
  const auto members = ParseSampling("rank_one:4");
  ASSERT_THAT(members, IsOk());
  EXPECT_EQ(members->method, SamplingMethod::kRankOne);
  EXPECT_EQ(members->passes, 4);
}

TEST(ParseSamplingTest, OtherTextsAreRefused) {
  for (const char* text : {"", "mc_dropout", "mc_dropout:0.2", "mc_dropout:x:10", "augmentation:", "augmentation:1,,2",
                           "augmentation:f", "ensemble:3", "weight_samples:", "weight_samples:x",
                           "weight_samples:3:encoder", "rank_one", "rank_one:4:decoder"}) {
    EXPECT_THAT(ParseSampling(text),
                HasStatus(absl::StatusCode::kInvalidArgument, testing::HasSubstr("sampling: must be")))
        << text;
  }
}

}  // namespace
}  // namespace candor
