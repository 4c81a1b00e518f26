// SPDX-License-Identifier: Apache-2.0
//
// The eight orientations of a picture of six pixels, turned by hand. EXIF says where row 0 and column 0 of the stored
// picture lie in the upright one, e.g. 6: row 0 is the right side, column 0 the top.
#include "core/image/orient.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

// Rows of letters divided by '/'; a pixel is (letter, letter + 1, letter + 2).
Image FromLetters(const std::string& letters) {
  Image image;
  for (char c : letters) {
    image.height += c == '/' ? 1 : 0;
    if (c == '/') continue;
    for (int channel = 0; channel < 3; ++channel) image.pixels.push_back(static_cast<uint8_t>(c + channel));
  }
  ++image.height;
  image.width = static_cast<int>(image.pixels.size()) / 3 / image.height;
  return image;
}

void ExpectTurned(int orientation, const std::string& expected_letters) {
  const auto upright = TurnUpright(FromLetters("abc/def"), orientation);
  const Image expected = FromLetters(expected_letters);
  ASSERT_THAT(upright, IsOk());
  EXPECT_EQ(upright->width, expected.width) << orientation;
  EXPECT_EQ(upright->height, expected.height) << orientation;
  EXPECT_EQ(upright->pixels, expected.pixels) << orientation;
}

TEST(OrientTest, TurnsAndMirrorsAsExifSays) {
  ExpectTurned(1, "abc/def");
  ExpectTurned(2, "cba/fed");
  ExpectTurned(3, "fed/cba");
  ExpectTurned(4, "def/abc");
  ExpectTurned(5, "ad/be/cf");
  ExpectTurned(6, "da/eb/fc");
  ExpectTurned(7, "fc/eb/da");
  ExpectTurned(8, "cf/be/ad");
}

TEST(OrientTest, SquarePicturesAreTurnedToo) {
  const auto upright = TurnUpright(FromLetters("ab/cd"), 6);
  ASSERT_THAT(upright, IsOk());
  EXPECT_EQ(upright->pixels, FromLetters("ca/db").pixels);
}

TEST(OrientTest, OtherValuesLeaveThePicture) {
  ExpectTurned(0, "abc/def");
  ExpectTurned(9, "abc/def");
  ExpectTurned(-1, "abc/def");
}

}  // namespace
}  // namespace candor
