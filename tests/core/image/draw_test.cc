// SPDX-License-Identifier: Apache-2.0
//
// Colours by hand, and the published ends of the Inferno table.
#include "core/image/draw.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

using testing::ElementsAre;

std::vector<uint8_t> Heat(float value, float range_max) { return HeatMap({1, 1, {value}}, range_max).pixels; }

TEST(DrawTest, LabelsTakeTheirColoursAndOthersAreBlack) {
  const Image image = ColourLabels({2, 2, {1, 0, 2, 255}}, {{1, 2, 3}, {4, 5, 6}});
  EXPECT_EQ(image.width, 2);
  EXPECT_EQ(image.height, 2);
  EXPECT_THAT(image.pixels, ElementsAre(4, 5, 6, 1, 2, 3, 0, 0, 0, 0, 0, 0));
}

TEST(DrawTest, MoreColoursThanLabelsCanNameAreIgnored) {
  EXPECT_THAT(ColourLabels({1, 1, {255}}, std::vector<Colour>(300, {9, 8, 7})).pixels, ElementsAre(9, 8, 7));
}

TEST(DrawTest, BlendIsTheWeightedMean) {
  const Image under{1, 1, {0, 100, 255}};
  const Image over{1, 1, {255, 200, 0}};
  EXPECT_EQ(Blend(under, over, 0.0f).pixels, under.pixels);
  EXPECT_EQ(Blend(under, over, 1.0f).pixels, over.pixels);
  EXPECT_THAT(Blend(under, over, 0.5f).pixels, ElementsAre(128, 150, 128));
  EXPECT_THAT(Blend(under, over, 0.25f).pixels, ElementsAre(64, 125, 191));
}

TEST(DrawTest, BlendClampsTheOpacity) {
  EXPECT_THAT(Blend({1, 1, {1, 1, 1}}, {1, 1, {9, 9, 9}}, 7.0f).pixels, ElementsAre(9, 9, 9));
  EXPECT_THAT(Blend({1, 1, {1, 1, 1}}, {1, 1, {9, 9, 9}}, -7.0f).pixels, ElementsAre(1, 1, 1));
}

TEST(DrawTest, HeatMapHasTheEndsOfInferno) {
  // matplotlib's table: (0.001462, 0.000466, 0.013866) and (0.988362, 0.998364, 0.644924), times 255.
  EXPECT_THAT(Heat(0.0f, 2.0f), ElementsAre(0, 0, 4));
  EXPECT_THAT(Heat(2.0f, 2.0f), ElementsAre(252, 255, 164));
}

TEST(DrawTest, HeatMapGetsBrighterAllTheWay) {
  double last = -1;
  for (int i = 0; i <= 255; ++i) {
    const std::vector<uint8_t> colour = Heat(static_cast<float>(i), 255.0f);
    const double brightness = 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2];
    EXPECT_GE(brightness, last - 1.0) << i;  // tables of 8 bits wobble by one
    last = brightness;
  }
}

TEST(DrawTest, HeatMapClampsAndSurvivesWhatIsNotANumber) {
  EXPECT_EQ(Heat(5.0f, 1.0f), Heat(1.0f, 1.0f));
  EXPECT_EQ(Heat(INFINITY, 1.0f), Heat(1.0f, 1.0f));
  EXPECT_EQ(Heat(-5.0f, 1.0f), Heat(0.0f, 1.0f));
  EXPECT_EQ(Heat(std::numeric_limits<float>::quiet_NaN(), 1.0f), Heat(0.0f, 1.0f));
}

}  // namespace
}  // namespace candor
