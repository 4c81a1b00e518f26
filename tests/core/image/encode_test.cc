// SPDX-License-Identifier: Apache-2.0
//
// Files read back by libpng and libjpeg with their defaults.
#include "core/image/encode.h"

#include <cmath>
#include <cstdlib>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/test_images.h"

namespace candor {
namespace {

using testing::ElementsAre;

constexpr int kPngGrey = 0;
constexpr int kPngRgb = 2;

std::vector<uint8_t> AllBytes(size_t count) {
  std::vector<uint8_t> bytes(count);
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<uint8_t>(i * 31);
  return bytes;
}

// The 16-bit samples of an uncertainty PNG.
std::vector<int> Levels(const std::vector<float>& values, float range_max) {
  const PngContents png = ReadPng(EncodeUncertaintyPng({static_cast<int>(values.size()), 1, values}, range_max));
  EXPECT_EQ(png.depth, 16);
  EXPECT_EQ(png.colour_type, kPngGrey);
  std::vector<int> levels;
  for (size_t i = 0; i + 1 < png.rows.size(); i += 2) levels.push_back(png.rows[i] << 8 | png.rows[i + 1]);
  return levels;
}

TEST(EncodeTest, GreyPngKeepsEveryValue) {
  const ByteMap map{37, 19, AllBytes(37 * 19)};
  const PngContents png = ReadPng(EncodeGreyPng(map));
  EXPECT_EQ(png.width, 37);
  EXPECT_EQ(png.height, 19);
  EXPECT_EQ(png.depth, 8);
  EXPECT_EQ(png.colour_type, kPngGrey);
  EXPECT_EQ(png.rows, map.values);
}

TEST(EncodeTest, RgbPngKeepsEveryValue) {
  const Image image{37, 19, AllBytes(37 * 19 * 3)};
  const PngContents png = ReadPng(EncodeRgbPng(image));
  EXPECT_EQ(png.width, 37);
  EXPECT_EQ(png.height, 19);
  EXPECT_EQ(png.depth, 8);
  EXPECT_EQ(png.colour_type, kPngRgb);
  EXPECT_EQ(png.rows, image.pixels);
}

TEST(EncodeTest, LabelMapsOfLargeAreasAreSmall) {
  EXPECT_LT(EncodeGreyPng({1000, 1000, std::vector<uint8_t>(1000000, 3)}).size(), 10000u);
}

TEST(EncodeTest, UncertaintyPngSpansTheRange) {
  EXPECT_THAT(Levels({0.0f, 0.5f, 1.0f}, 1.0f), ElementsAre(0, 32768, 65535));  // 32767.5 rounds up
  EXPECT_THAT(Levels({0.0f, 1.0f, 2.0f, 4.0f}, 4.0f), ElementsAre(0, 16384, 32768, 65535));
}

TEST(EncodeTest, UncertaintyPngRoundsToNearest) {
  const float step = 1.0f / 65535.0f;
  EXPECT_THAT(Levels({0.49f * step, 0.51f * step, 1000.49f * step, 1000.51f * step}, 1.0f),
              ElementsAre(0, 1, 1000, 1001));
}

TEST(EncodeTest, UncertaintyPngClamps) {
  EXPECT_THAT(Levels({-1.0f, 2.0f, INFINITY, -INFINITY, std::numeric_limits<float>::quiet_NaN()}, 1.0f),
              ElementsAre(0, 65535, 65535, 0, 0));
}

TEST(EncodeTest, JpegIsNearThePicture) {
  Image image{64, 48, {}};
  for (int y = 0; y < 48; ++y) {
    for (int x = 0; x < 64; ++x) {
      for (int value : {3 * x, 4 * y, 120}) image.pixels.push_back(static_cast<uint8_t>(value));
    }
  }
  const std::vector<uint8_t> pixels = ReadJpegRgb(EncodeJpeg(image, 95));
  ASSERT_EQ(pixels.size(), image.pixels.size());
  double sum = 0;
  for (size_t i = 0; i < pixels.size(); ++i) sum += std::abs(pixels[i] - image.pixels[i]);
  EXPECT_LT(sum / static_cast<double>(pixels.size()), 3.0);
}

TEST(EncodeTest, LowerQualityIsSmaller) {
  const Image image{64, 64, AllBytes(64 * 64 * 3)};
  EXPECT_LT(EncodeJpeg(image, 20).size(), EncodeJpeg(image, 90).size());
}

TEST(EncodeTest, JpegHalvesTheChroma) {
  const std::string jpeg = EncodeJpeg({16, 16, AllBytes(16 * 16 * 3)}, 90);
  // In the frame header, component 1: sampling 2 x 2, then components 2 and 3: 1 x 1.
  const size_t frame = jpeg.find(std::string("\xff\xc0\x00\x11\x08", 5));
  ASSERT_NE(frame, std::string::npos);
  EXPECT_EQ(jpeg[frame + 11], 0x22);
  EXPECT_EQ(jpeg[frame + 14], 0x11);
  EXPECT_EQ(jpeg[frame + 17], 0x11);
}

TEST(EncodeTest, ImpossiblePicturesAreEmpty) {
  EXPECT_EQ(EncodeGreyPng({}), "");
  EXPECT_EQ(EncodeGreyPng({2, 2, {1, 2, 3}}), "");
  EXPECT_EQ(EncodeUncertaintyPng({2, 2, {1.0f}}, 1.0f), "");
  EXPECT_EQ(EncodeRgbPng({1, 1, {1}}), "");
  EXPECT_EQ(EncodeJpeg({}, 90), "");
  EXPECT_EQ(EncodeJpeg({2, 2, {1, 2, 3}}, 90), "");
  EXPECT_EQ(EncodeJpeg({65501, 1, AllBytes(65501 * 3)}, 90), "");
}

}  // namespace
}  // namespace candor
