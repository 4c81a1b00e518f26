// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/mask_decoder.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/data/data_directory.h"
#include "trainer/data/dataset.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(IndexMaskTest, ValuesAreClassesAndIgnoredOnesHaveNone) {
  const MaskDecoder decode = IndexMask(PlainIndices(3, {7, 255}));
  for (const std::string& mask :
       {SmallMask({0, 1, 2, 7, 255, 0, 0, 2}), SmallPaletteMask({0, 1, 2, 7, 255, 0, 0, 2})}) {
    const auto labels = decode(mask);
    ASSERT_THAT(labels, IsOk());
    EXPECT_EQ(labels->width, 4);
    EXPECT_EQ(labels->height, 2);
    EXPECT_THAT(labels->values, ElementsAre(0, 1, 2, 255, 255, 0, 0, 2));
  }
}

TEST(IndexMaskTest, AnUnknownValueIsNamedWithItsCountAndFirstPixel) {
  const MaskDecoder decode = IndexMask(PlainIndices(3, {255}));
  EXPECT_THAT(decode(SmallMask({0, 0, 9, 0, 0, 4, 9, 4})),
              HasStatus(absl::StatusCode::kInvalidArgument, "value 4 is no class (2 pixels, first at x 1, y 1)"));
  EXPECT_THAT(decode(SmallMask({0, 0, 0, 0, 0, 0, 0, 254})),
              HasStatus(absl::StatusCode::kInvalidArgument, "value 254 is no class (1 pixel, first at x 3, y 1)"));
}

TEST(IndexMaskTest, SixteenBitValuesAreMapped) {
  IndexTable table = PlainIndices(2, {65535});
  table.meaning[1000] = 1;
  PngSpec spec;
  spec.width = 4;
  spec.height = 1;
  spec.depth = 16;
  spec.colour_type = 0;
  spec.rows = {0, 1, 0x03, 0xe8, 0xff, 0xff, 0, 0};
  const auto labels = IndexMask(table)(MakePng(spec));
  ASSERT_THAT(labels, IsOk());
  EXPECT_THAT(labels->values, ElementsAre(1, 1, 255, 0));
  spec.rows = {0, 1, 0x03, 0xe9, 0, 0, 0, 0};
  EXPECT_THAT(IndexMask(table)(MakePng(spec)),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("value 1001 is no class")));
}

TEST(IndexMaskTest, TheHintIsGivenForItsValuesOnly) {
  IndexTable table = PlainIndices(19, {255});
  table.hint = "looks like labelIds";
  table.hint_min = 19;
  table.hint_max = 33;
  const MaskDecoder decode = IndexMask(table);
  EXPECT_THAT(decode(SmallMask({0, 0, 0, 0, 0, 0, 0, 26})),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("y 1): looks like labelIds")));
  EXPECT_THAT(decode(SmallMask({0, 0, 0, 0, 0, 0, 0, 34})),
              HasStatus(absl::StatusCode::kInvalidArgument, testing::EndsWith("y 1)")));
}

TEST(IndexMaskTest, ColourJpegAndEmptyFilesAreRefused) {
  const MaskDecoder decode = IndexMask(PlainIndices(3, {255}));
  EXPECT_THAT(decode(SmallPicture()),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("must be grey or palette, got RGB of 8 bits")));
  EXPECT_THAT(decode(MakeJpeg({})),
              HasStatus(absl::StatusCode::kInvalidArgument, "a mask must be PNG: JPEG changes class indices"));
  EXPECT_THAT(decode(""), HasStatus(absl::StatusCode::kInvalidArgument, "empty file"));
  const std::string mask = SmallMask({0, 1, 2, 0, 1, 2, 0, 1});
  EXPECT_THAT(decode(mask.substr(0, mask.size() - 20)),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("damaged")));
}

TEST(ColourMaskTest, ColoursAreMatchedExactly) {
  const MaskDecoder decode = ColourMask({{{1, 2, 3}, 0}, {{3, 2, 1}, 4}, {{0, 0, 0}, kIgnoreLabel}});
  const std::vector<uint8_t> a = {1, 2, 3}, b = {3, 2, 1}, none = {0, 0, 0}, near = {1, 2, 4};
  const auto labels = decode(SmallColourMask({a, a, b, none, b, a, none, none}));
  ASSERT_THAT(labels, IsOk());
  EXPECT_THAT(labels->values, ElementsAre(0, 0, 4, 255, 4, 0, 255, 255));
  EXPECT_THAT(
      decode(SmallColourMask({a, a, b, none, b, near, a, near})),
      HasStatus(absl::StatusCode::kInvalidArgument, "colour (1, 2, 4) is no class (2 pixels, first at x 1, y 1)"));
}

}  // namespace
}  // namespace candor
