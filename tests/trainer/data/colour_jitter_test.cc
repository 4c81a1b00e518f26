// SPDX-License-Identifier: Apache-2.0
//
// Expected values by hand from the definitions in torchvision's functional transforms.
#include "trainer/data/colour_jitter.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

using testing::ElementsAre;

std::vector<uint8_t> Changed(const ColourChange& change, std::vector<uint8_t> pixels) {
  Image image{static_cast<int>(pixels.size() / 3), 1, std::move(pixels)};
  ChangeColours(change, std::vector<uint8_t>(static_cast<size_t>(image.width), 0), &image);
  return image.pixels;
}

TEST(ChangeColoursTest, BrightnessMultipliesAndClamps) {
  ColourChange change;
  change.brightness = 1.5f;
  EXPECT_THAT(Changed(change, {10, 100, 200}), ElementsAre(15, 150, 255));
}

TEST(ChangeColoursTest, ContrastWithoutAnyIsTheMeanGrey) {
  ColourChange change;
  change.contrast = 0;
  // Greys: 0.2989 * 100 = 29.89 and 0.114 * 200 = 22.8; the mean is 26.345.
  EXPECT_THAT(Changed(change, {100, 0, 0, 0, 0, 200}), ElementsAre(26, 26, 26, 26, 26, 26));
}

TEST(ChangeColoursTest, ContrastMovesAwayFromTheMean) {
  ColourChange change;
  change.contrast = 2;
  // Mean 0.9999 * 100 = 99.99: 99.99 + 2 * (80 - 99.99) = 60.01, and 140.01.
  EXPECT_THAT(Changed(change, {80, 80, 80, 120, 120, 120}), ElementsAre(60, 60, 60, 140, 140, 140));
}

TEST(ChangeColoursTest, SaturationWithoutAnyIsGrey) {
  ColourChange change;
  change.saturation = 0;
  EXPECT_THAT(Changed(change, {0, 200, 100}), ElementsAre(129, 129, 129));  // 117.4 + 11.4
}

TEST(ChangeColoursTest, HueTurnsRedToGreenToBlue) {
  ColourChange change;
  change.hue = 1.0f / 3;
  EXPECT_THAT(Changed(change, {200, 50, 50, 50, 200, 50, 50, 50, 200}),
              ElementsAre(50, 200, 50, 50, 50, 200, 200, 50, 50));
}

TEST(ChangeColoursTest, HueTurnsBackwardsAndLeavesGrey) {
  ColourChange change;
  change.hue = -1.0f / 6;
  // Red (0 degrees) becomes magenta (300).
  EXPECT_THAT(Changed(change, {200, 50, 50, 70, 70, 70}), ElementsAre(200, 50, 200, 70, 70, 70));
}

TEST(ChangeColoursTest, PaddingStaysBlackAndDoesNotCount) {
  Image image{2, 1, {100, 100, 100, 0, 0, 0}};
  ColourChange change;
  change.contrast = 0.5f;
  ChangeColours(change, {0, 1}, &image);
  // Mean 99.99 of the one pixel: it stays.
  EXPECT_THAT(image.pixels, ElementsAre(100, 100, 100, 0, 0, 0));
}

}  // namespace
}  // namespace candor
