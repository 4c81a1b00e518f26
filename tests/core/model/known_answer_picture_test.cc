// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/digest.h"
#include "core/model/model_spec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

TEST(KnownAnswerPictureTest, IsA64x64Picture) {
  const Image image = KnownAnswerPicture();
  EXPECT_EQ(image.width, 64);
  EXPECT_EQ(image.height, 64);
  EXPECT_EQ(image.pixels.size(), 64u * 64u * 3u);
}

// By hand: the generator starts 1015568748, 1586005467, 2165703038, 3027450565; their top five bits less 16 are -9, -5,
// 0, 6, and the fourth channel is the red of x = 1, 4.
TEST(KnownAnswerPictureTest, BeginsWithTheRampAndItsNoise) {
  const Image image = KnownAnswerPicture();
  EXPECT_EQ(image.pixels[0], 0);
  EXPECT_EQ(image.pixels[1], 0);
  EXPECT_EQ(image.pixels[2], 0);
  EXPECT_EQ(image.pixels[3], 10);
}

// Computed by an implementation in Python. A change would invalidate every bundle ever written.
TEST(KnownAnswerPictureTest, NeverChanges) {
  const Image image = KnownAnswerPicture();
  EXPECT_EQ(Sha256Hex({reinterpret_cast<const char*>(image.pixels.data()), image.pixels.size()}),
            "53a50eda650577cf379bc8bde8f1bb47d1f45b2c53758b9d204dc6caac0fcf74");
}

}  // namespace
}  // namespace candor
