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

TEST(PreprocessTest, APictureInPiecesIsTheSameAsInOne) {
  Image image{19, 100, {}};  // more rows than a thread takes at once
  for (int i = 0; i < 3 * 19 * 100; ++i) image.pixels.push_back(static_cast<uint8_t>(i * 7));
  std::vector<absl::string_view> pieces;
  const absl::string_view bytes(reinterpret_cast<const char*>(image.pixels.data()), image.pixels.size());
  for (size_t i = 0; i < bytes.size(); i += 50) pieces.push_back(bytes.substr(i, 50));
  const Picture cut(19, 100, pieces);
  const Picture whole = Picture::Borrow(image);
  const Picture* const both[] = {&cut, &whole};
  const torch::Tensor pixels = Preprocess(both, {});
  ASSERT_EQ(pixels.sizes(), (std::vector<int64_t>{2, 3, 112, 32}));
  EXPECT_TRUE(torch::equal(pixels[0], pixels[1]));
  for (const int y : {0, 63, 64, 99}) {
    EXPECT_FLOAT_EQ(pixels[0][2][y][18].item<float>(),
                    static_cast<float>(image.pixels[static_cast<size_t>(3 * (19 * y + 18) + 2)]) / 255);
  }
}

}  // namespace
}  // namespace candor
