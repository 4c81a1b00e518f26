// SPDX-License-Identifier: Apache-2.0
//
// Expected values: torch::nn::functional::interpolate of LibTorch 2.11 on the same pictures.
#include "core/image/resize.h"

#include <cmath>
#include <cstdlib>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

// 4 x 3 pixels, value i of all is (73 i + 19 (i / 5)) mod 256.
Image Small() {
  Image image{4, 3, {}};
  for (int i = 0; i < 36; ++i) image.pixels.push_back(static_cast<uint8_t>((i * 73 + i / 5 * 19) % 256));
  return image;
}

ByteMap Counting(int width, int height) {
  ByteMap map{width, height, {}};
  for (int i = 0; i < width * height; ++i) map.values.push_back(static_cast<uint8_t>(i));
  return map;
}

Image Noise(int width, int height) {
  Image image{width, height, {}};
  uint32_t state = 1;
  for (int i = 0; i < width * height * 3; ++i) {
    state = state * 1664525 + 1013904223;
    image.pixels.push_back(static_cast<uint8_t>(state >> 24));
  }
  return image;
}

void ExpectNear(const Image& image, int width, int height, const std::vector<float>& expected) {
  ASSERT_EQ(image.width, width);
  ASSERT_EQ(image.height, height);
  ASSERT_EQ(image.pixels.size(), expected.size());
  // Half for rounding to 8 bits, 1/16 for the weights.
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(image.pixels[i], expected[i], 0.5 + 0.0625) << i;
}

TEST(ResizeBilinearTest, LargerEqualsPyTorch) {
  ExpectNear(
      ResizeBilinear(Small(), 7, 5), 7, 5,
      {0,       73,      146,     78.2143, 59.7857, 139.571, 203.357, 38.6429, 129.286, 210,     27,      109.5,
       198.357, 16.7143, 89.7143, 177.214, 6.42857, 79.4286, 164,     0,       73,      58.4,    131.4,   102,
       102.757, 120.9,   95.5714, 173.729, 104.1,   85.2857, 169.8,   89.2,    69.3,    154.9,   75.1143, 60.0857,
       138.1,   64.8286, 103.971, 127.6,   58.4,    131.4,   146,     219,     36,      139.571, 212.571, 29.5714,
       129.286, 202.286, 19.2857, 109.5,   182.5,   9,       89.7143, 162.714, 15.6429, 79.4286, 152.429, 140.786,
       73,      146,     219,     80,      164.4,   135,     73.5714, 153.9,   124.5,   63.2857, 137.1,   107.7,
       49.2,    122.2,   96.6,    45.2714, 107.3,   93.0857, 116.243, 90.5,    136.971, 160.6,   80,      164.4,
       36,      128,     201,     29.5714, 114.786, 187.786, 19.2857, 93.6429, 166.643, 9,       82,      155,
       15.6429, 70.3571, 144.714, 140.786, 49.2143, 134.429, 219,     36,      128});
}

TEST(ResizeBilinearTest, SmallerEqualsPyTorchWithoutAntialias) {
  ExpectNear(ResizeBilinear(Small(), 3, 2), 3, 2,
             {63.125, 104.125, 115.5, 184.875, 65.875, 84.375, 146.625, 39.5, 102.625, 60.5, 145.375, 154.375, 34.125,
              107.125, 118.5, 155.875, 68.875, 143.875});
}

TEST(ResizeBilinearTest, NarrowerAndHigherEqualsPyTorch) {
  ExpectNear(ResizeBilinear(Small(), 2, 9), 2, 9,
             {109.5,   54.5,    137,     182.5,   9,   82,      109.5,   54.5,    137,     182.5,   9,
              82,      118.667, 106.333, 100.333, 149, 57.6667, 91.1667, 127.833, 158.167, 63.6667, 115.5,
              106.333, 100.333, 137,     210,     27,  82,      155,     109.5,   100.333, 176.5,   78.8333,
              91.1667, 121.5,   118.667, 63.6667, 143, 130.667, 100.333, 88,      127.833, 27,      109.5,
              182.5,   109.5,   54.5,    137,     27,  109.5,   182.5,   109.5,   54.5,    137});
}

TEST(ResizeBilinearTest, TheSameSizeChangesNothing) {
  EXPECT_THAT(ResizeBilinear(Small(), 4, 3).pixels, ElementsAreArray(Small().pixels));
}

TEST(ResizeBilinearTest, AWhitePictureStaysWhite) {
  const Image white{5, 7, std::vector<uint8_t>(105, 255)};
  EXPECT_THAT(ResizeBilinear(white, 13, 11).pixels, testing::Each(255));
}

// The definition in double precision, at sizes where rounding of weights could add up.
TEST(ResizeBilinearTest, AnySizeIsWithinASixteenthOfTheDefinition) {
  const Image image = Noise(61, 47);
  for (const auto& [width, height] : {std::pair(30, 23), std::pair(97, 71), std::pair(61, 94), std::pair(1, 1)}) {
    const Image resized = ResizeBilinear(image, width, height);
    std::vector<float> expected;
    for (int y = 0; y < height; ++y) {
      const double at_y = std::max(0.0, (y + 0.5) * 47 / height - 0.5);
      const int top = static_cast<int>(at_y);
      const int bottom = std::min(top + 1, 46);
      for (int x = 0; x < width; ++x) {
        const double at_x = std::max(0.0, (x + 0.5) * 61 / width - 0.5);
        const int left = static_cast<int>(at_x);
        const int right = std::min(left + 1, 60);
        for (int c = 0; c < 3; ++c) {
          const auto value = [&](int row, int column) { return image.pixels[(row * 61 + column) * 3 + c]; };
          const double upper = value(top, left) + (at_x - left) * (value(top, right) - value(top, left));
          const double lower = value(bottom, left) + (at_x - left) * (value(bottom, right) - value(bottom, left));
          expected.push_back(static_cast<float>(upper + (at_y - top) * (lower - upper)));
        }
      }
    }
    ExpectNear(resized, width, height, expected);
  }
}

TEST(ResizeBilinearTest, AWindowEqualsThatPartOfTheWhole) {
  const Image image = Noise(40, 30);
  const Image whole = ResizeBilinear(image, 67, 23);
  const PixelWindow window = {11, 5, 31, 17};
  const Image part = ResizeBilinear(image, 67, 23, window);
  ASSERT_EQ(part.pixels.size(), 31u * 17 * 3);
  for (int y = 0; y < 17; ++y) {
    for (int i = 0; i < 31 * 3; ++i) {
      ASSERT_EQ(part.pixels[y * 31 * 3 + i], whole.pixels[(y + 5) * 67 * 3 + 11 * 3 + i]) << y << ' ' << i;
    }
  }
}

TEST(ResizeBilinearTest, AnEmptySideGivesAnEmptyPicture) {
  EXPECT_TRUE(ResizeBilinear(Small(), 0, 3).pixels.empty());
  EXPECT_TRUE(ResizeBilinear(Image{}, 3, 3).pixels.empty());
}

TEST(ResizeNearestTest, LargerEqualsPyTorch) {
  EXPECT_THAT(ResizeNearest(Counting(4, 3), 7, 5).values,
              ElementsAre(0, 0, 1, 1, 2, 2, 3, 0, 0, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6, 6, 7, 4, 4, 5, 5, 6, 6, 7, 8, 8, 9,
                          9, 10, 10, 11));
}

TEST(ResizeNearestTest, SmallerEqualsPyTorch) {
  EXPECT_THAT(ResizeNearest(Counting(4, 3), 3, 2).values, ElementsAre(0, 1, 2, 4, 5, 6));
}

TEST(ResizeNearestTest, NarrowerAndHigherEqualsPyTorch) {
  EXPECT_THAT(ResizeNearest(Counting(4, 3), 2, 9).values,
              ElementsAre(0, 2, 0, 2, 0, 2, 4, 6, 4, 6, 4, 6, 8, 10, 8, 10, 8, 10));
}

TEST(ResizeNearestTest, AWindowEqualsThatPartOfTheWhole) {
  const ByteMap part = ResizeNearest(Counting(4, 3), 7, 5, {2, 1, 3, 2});
  EXPECT_EQ(part.width, 3);
  EXPECT_EQ(part.height, 2);
  EXPECT_THAT(part.values, ElementsAre(1, 1, 2, 5, 5, 6));
}

}  // namespace
}  // namespace candor
