// SPDX-License-Identifier: Apache-2.0
#include "core/nn/preprocess.h"

#include "core/model/padded_size.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

TEST(PreprocessTest, RoundsSizesUpToMultiplesOf16) {
  EXPECT_EQ(PaddedSize(1), 16);
  EXPECT_EQ(PaddedSize(16), 16);
  EXPECT_EQ(PaddedSize(360), 368);
}

TEST(PreprocessTest, ScalesToOneAndPadsRightAndBelow) {
  Image image{2, 1, {255, 0, 51, 0, 102, 255}};
  const torch::Tensor pixels = Preprocess(image, {});
  ASSERT_EQ(pixels.sizes(), (std::vector<int64_t>{1, 3, 16, 16}));
  EXPECT_FLOAT_EQ(pixels[0][0][0][0].item<float>(), 1.0f);
  EXPECT_FLOAT_EQ(pixels[0][2][0][0].item<float>(), 0.2f);
  EXPECT_FLOAT_EQ(pixels[0][1][0][1].item<float>(), 0.4f);
  EXPECT_FLOAT_EQ(pixels.sum().item<float>(), 1.0f + 0.2f + 0.4f + 1.0f);  // everything else is 0
}

TEST(PreprocessTest, NormalisesThePaddingLikeABlackPixel) {
  Normalisation normalisation;
  normalisation.mean[0] = 0.5f;
  normalisation.stddev[0] = 0.25f;
  const torch::Tensor pixels = Preprocess(Image{1, 1, {255, 255, 255}}, normalisation);
  EXPECT_FLOAT_EQ(pixels[0][0][0][0].item<float>(), 2.0f);
  EXPECT_FLOAT_EQ(pixels[0][0][15][15].item<float>(), -2.0f);
  EXPECT_FLOAT_EQ(pixels[0][1][0][0].item<float>(), 1.0f);
}

}  // namespace
}  // namespace candor
