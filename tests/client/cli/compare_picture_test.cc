// SPDX-License-Identifier: Apache-2.0
#include "client/cli/compare_picture.h"

#include <gtest/gtest.h>

#include "core/image/draw.h"

namespace candor {
namespace {

Colour At(const Image& image, int x, int y) {
  const uint8_t* pixel = &image.pixels[3 * (y * image.width + x)];
  return {pixel[0], pixel[1], pixel[2]};
}

TEST(DrawComparisonTest, PutsSixPicturesOnAGrid) {
  const Image black{2, 1, std::vector<uint8_t>(6, 0)};
  const ByteMap student{2, 1, {0, 1}};
  const ByteMap teacher{2, 1, {0, 0}};
  const FloatMap low{2, 1, {0, 0}};
  const FloatMap high{2, 1, {9, 9}};
  const Image drawn =
      DrawComparison(black, {student, low}, {teacher, high}, {{200, 0, 0}, {0, 200, 0}}, /*heat_max=*/1);
  ASSERT_EQ(drawn.width, 3 * 2 + 2 * 4);
  ASSERT_EQ(drawn.height, 2 * 1 + 4);
  EXPECT_EQ(At(drawn, 0, 0), (Colour{0, 0, 0}));        // the picture
  EXPECT_EQ(At(drawn, 2, 0), (Colour{255, 255, 255}));  // between
  EXPECT_EQ(At(drawn, 6, 0), (Colour{100, 0, 0}));      // the student's classes, half covering
  EXPECT_EQ(At(drawn, 7, 0), (Colour{0, 100, 0}));
  EXPECT_EQ(At(drawn, 13, 0), (Colour{100, 0, 0}));       // the teacher's
  EXPECT_EQ(At(drawn, 0, 2), (Colour{255, 255, 255}));    // between
  EXPECT_EQ(At(drawn, 0, 5), At(HeatMap(low, 1), 0, 0));  // the student's uncertainty
  EXPECT_EQ(At(drawn, 6, 5), At(HeatMap(high, 1), 0, 0));
  EXPECT_EQ(At(drawn, 12, 5), (Colour{0, 0, 0}));    // labels equal
  EXPECT_EQ(At(drawn, 13, 5), (Colour{191, 0, 0}));  // labels differ: 0.75 * 255
}

}  // namespace
}  // namespace candor
