// SPDX-License-Identifier: Apache-2.0
//
// What a caller of the decoder meets: the right format, upright, or one clear refusal.
#include "core/image/decode.h"

#include <random>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/test_images.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(DecodeTest, JpegAndPngAreToldByTheirFirstBytes) {
  const auto jpeg = DecodeImage(MakeJpeg({}), {});
  ASSERT_THAT(jpeg, IsOk());
  EXPECT_EQ(jpeg->pixels, ReadJpegRgb(MakeJpeg({})));
  const auto png = DecodeImage(MakePng({}), {});
  ASSERT_THAT(png, IsOk());
  EXPECT_EQ(png->pixels, ReadPng(MakePng({})).rows);
}

TEST(DecodeTest, EmptyAndUnknownAreRefused) {
  EXPECT_THAT(DecodeImage("", {}), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("empty")));
  EXPECT_THAT(DecodeLabelPng("", {}), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("empty")));
  for (const char* bytes : {"GIF89a", "BM", "RIFF....WEBP", "\xff\xd8", "\x89PNG", "text"}) {
    EXPECT_THAT(DecodeImage(bytes, {}),
                HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("neither JPEG nor PNG")));
  }
  EXPECT_THAT(DecodeLabelPng(MakeJpeg({}), {}), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("not a PNG")));
}

TEST(DecodeTest, JpegIsTurnedUpright) {
  const auto stored = DecodeImage(MakeJpeg({}), {});  // 32 x 24
  const auto upright = DecodeImage(WithExifOrientation(MakeJpeg({}), 6), {});
  ASSERT_THAT(stored, IsOk());
  ASSERT_THAT(upright, IsOk());
  ASSERT_EQ(upright->width, 24);
  ASSERT_EQ(upright->height, 32);
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 24; ++x) {  // a quarter turn clockwise: stored rows become columns from the right
      for (int c = 0; c < 3; ++c) {
        ASSERT_EQ(upright->pixels[(y * 24 + x) * 3 + c], stored->pixels[((23 - x) * 32 + y) * 3 + c]);
      }
    }
  }
}

TEST(DecodeTest, PngIsTurnedUpright) {
  PngSpec spec;
  spec.width = 2;
  spec.height = 1;
  spec.rows = {1, 2, 3, 4, 5, 6};
  spec.exif_orientation = 3;
  const auto image = DecodeImage(MakePng(spec), {});
  ASSERT_THAT(image, IsOk());
  EXPECT_EQ(image->width, 2);
  EXPECT_THAT(image->pixels, ElementsAre(4, 5, 6, 1, 2, 3));
}

TEST(DecodeTest, LabelsAreIndices) {
  PngSpec spec;
  spec.width = 3;
  spec.height = 1;
  spec.colour_type = 3;
  spec.rows = {2, 0, 255};
  const auto labels = DecodeLabelPng(MakePng(spec), {});
  ASSERT_THAT(labels, IsOk());
  EXPECT_EQ(labels->width, 3);
  EXPECT_EQ(labels->height, 1);
  EXPECT_THAT(labels->values, ElementsAre(2, 0, 255));
}

TEST(DecodeTest, LimitsHoldForBothFormats) {
  const DecodeLimits limits{100};
  EXPECT_THAT(DecodeImage(MakeJpeg({}), limits),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("limit of 100")));
  EXPECT_THAT(DecodeImage(MakePng({}), limits),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("limit of 100")));
  EXPECT_THAT(DecodeLabelPng(MakePng({}), limits),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("limit of 100")));
}

TEST(DecodeTest, ShuffledBytesAreRefusedOrGiveAWholePicture) {
  std::mt19937 random(7);
  const DecodeLimits limits{1 << 16};
  JpegSpec progressive;
  progressive.scans = JpegScans::kProgressive;
  const std::string seeds[] = {MakeJpeg({}), MakeJpeg(progressive), MakePng({})};
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = seeds[i % 3];
    const size_t changes = 1 + random() % 8;
    for (size_t change = 0; change < changes; ++change) {
      bytes[8 + random() % (bytes.size() - 8)] = static_cast<char>(random());
    }
    const auto image = DecodeImage(bytes, limits);
    if (!image.ok()) {
      ASSERT_EQ(image.status().code(), absl::StatusCode::kInvalidArgument) << image.status();
    } else {
      ASSERT_EQ(static_cast<int64_t>(image->pixels.size()), int64_t{image->width} * image->height * 3);
    }
  }
}

TEST(DecodeIndexPngTest, SixteenBitGreyIsReadBigEndian) {
  PngSpec spec;
  spec.width = 3;
  spec.height = 1;
  spec.depth = 16;
  spec.colour_type = 0;
  spec.rows = {0x01, 0x02, 0xff, 0xff, 0x00, 0x07};
  const auto map = DecodeIndexPng(MakePng(spec), {});
  ASSERT_THAT(map, IsOk());
  EXPECT_EQ(map->width, 3);
  EXPECT_EQ(map->height, 1);
  EXPECT_THAT(map->values, ElementsAre(0x0102, 0xffff, 7));
}

TEST(DecodeIndexPngTest, PaletteAndShallowGreyGiveTheIndex) {
  PngSpec spec;
  spec.width = 4;
  spec.height = 1;
  spec.depth = 2;
  spec.rows = {0b00011011};
  for (int colour_type : {0, 3}) {
    spec.colour_type = colour_type;
    const auto map = DecodeIndexPng(MakePng(spec), {});
    ASSERT_THAT(map, IsOk());
    EXPECT_THAT(map->values, ElementsAre(0, 1, 2, 3));
  }
}

TEST(DecodeIndexPngTest, ColourAndJpegAreRefused) {
  PngSpec spec;
  spec.colour_type = 6;
  EXPECT_THAT(DecodeIndexPng(MakePng(spec), {}),
              HasStatus(absl::StatusCode::kInvalidArgument,
                        HasSubstr("class indices must be grey or palette, got RGBA of 8 bits")));
  EXPECT_THAT(DecodeIndexPng(MakeJpeg({}), {}), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("not a PNG")));
}

}  // namespace
}  // namespace candor
