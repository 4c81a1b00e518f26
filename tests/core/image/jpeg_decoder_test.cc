// SPDX-License-Identifier: Apache-2.0
//
// Every kind of JPEG against libjpeg's own colours or the inks' arithmetic, and damage of every kind.
#include "core/image/jpeg_decoder.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/test_images.h"

namespace candor {
namespace {

using testing::HasSubstr;

JpegSpec Spec(JpegColour colour, JpegScans scans = JpegScans::kBaseline) {
  JpegSpec spec;
  spec.colour = colour;
  spec.scans = scans;
  return spec;
}

// A picture of one colour, given as stored samples.
std::string OneColour(JpegColour colour, const std::vector<uint8_t>& sample) {
  JpegSpec spec = Spec(colour);
  spec.width = 16;
  spec.height = 8;
  spec.quality = 100;
  for (int i = 0; i < 16 * 8; ++i) spec.samples.insert(spec.samples.end(), sample.begin(), sample.end());
  return MakeJpeg(spec);
}

void ExpectColour(const std::string& jpeg, int red, int green, int blue) {
  const auto picture = DecodeJpeg(jpeg, {});
  ASSERT_THAT(picture, IsOk());
  ASSERT_EQ(picture->image.pixels.size(), 16u * 8 * 3);
  for (size_t i = 0; i < picture->image.pixels.size(); i += 3) {
    EXPECT_NEAR(picture->image.pixels[i], red, 2);
    EXPECT_NEAR(picture->image.pixels[i + 1], green, 2);
    EXPECT_NEAR(picture->image.pixels[i + 2], blue, 2);
  }
}

TEST(JpegDecoderTest, GivesThePixelsOfLibjpeg) {
  for (const JpegSpec& spec :
       {Spec(JpegColour::kGrey), Spec(JpegColour::kRgb), Spec(JpegColour::kRgb, JpegScans::kOneAComponent),
        Spec(JpegColour::kGrey, JpegScans::kProgressive), Spec(JpegColour::kRgb, JpegScans::kProgressive)}) {
    const std::string jpeg = MakeJpeg(spec);
    const auto picture = DecodeJpeg(jpeg, {});
    ASSERT_THAT(picture, IsOk());
    EXPECT_EQ(picture->image.width, 32);
    EXPECT_EQ(picture->image.height, 24);
    EXPECT_EQ(picture->exif_orientation, 1);
    EXPECT_EQ(picture->image.pixels, ReadJpegRgb(jpeg));
  }
}

TEST(JpegDecoderTest, PixelsAreNearThoseEncoded) {
  ExpectColour(OneColour(JpegColour::kRgb, {200, 60, 20}), 200, 60, 20);
  ExpectColour(OneColour(JpegColour::kGrey, {99}), 99, 99, 99);
}

TEST(JpegDecoderTest, InksOfAdobeAreStoredInverted) {
  // Light through ink and black: 255 * 200 / 255, 100 * 200 / 255, 0.
  ExpectColour(OneColour(JpegColour::kCmyk, {255, 100, 0, 200}), 200, 78, 0);
  ExpectColour(OneColour(JpegColour::kYcck, {255, 100, 0, 200}), 200, 78, 0);
  ExpectColour(OneColour(JpegColour::kYcck, {255, 255, 255, 255}), 255, 255, 255);
}

TEST(JpegDecoderTest, OtherInksAreStoredAsTheyAre) {
  // (255 - 155) * (255 - 55) / 255 and so on.
  ExpectColour(OneColour(JpegColour::kPlainCmyk, {0, 155, 255, 55}), 200, 78, 0);
  ExpectColour(OneColour(JpegColour::kPlainCmyk, {0, 0, 0, 0}), 255, 255, 255);
}

TEST(JpegDecoderTest, OrientationIsReadFromExifButNotFromXmp) {
  std::string jpeg = WithExifOrientation(MakeJpeg({}), 8);
  jpeg.insert(2, std::string("\xff\xe1\x00\x0ahttp://x", 12));
  const auto picture = DecodeJpeg(jpeg, {});
  ASSERT_THAT(picture, IsOk());
  EXPECT_EQ(picture->exif_orientation, 8);
}

TEST(JpegDecoderTest, SizeIsCheckedFromTheHeader) {
  const std::string jpeg = MakeJpeg({});
  EXPECT_THAT(DecodeJpeg(jpeg, DecodeLimits{32 * 24}), IsOk());
  EXPECT_THAT(DecodeJpeg(jpeg, DecodeLimits{32 * 24 - 1}),
              HasStatus(absl::StatusCode::kInvalidArgument, "JPEG: 32 x 24 pixels, more than the limit of 767"));
  for (JpegScans scans : {JpegScans::kBaseline, JpegScans::kProgressive}) {
    EXPECT_THAT(
        DecodeJpeg(WithJpegSize(MakeJpeg(Spec(JpegColour::kGrey, scans)), 65500, 16000), {}),
        HasStatus(absl::StatusCode::kInvalidArgument, "JPEG: 65500 x 16000 pixels, more than the limit of 16777216"));
  }
  EXPECT_THAT(DecodeJpeg(WithJpegSize(jpeg, 0, 24), {}),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("JPEG")));
}

TEST(JpegDecoderTest, FewerPixelsThanTheHeaderSaysAreRefused) {
  EXPECT_THAT(DecodeJpeg(WithJpegSize(MakeJpeg({}), 32, 240), {}),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("JPEG: damaged")));
}

TEST(JpegDecoderTest, ManyScansAreRefused) {
  EXPECT_THAT(DecodeJpeg(MakeJpeg(Spec(JpegColour::kGrey, JpegScans::kProgressiveBits)), {}),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("more than 100 scans")));
}

TEST(JpegDecoderTest, MissingColourComponentIsRefused) {
  const std::string jpeg = MakeJpeg(Spec(JpegColour::kRgb, JpegScans::kOneAComponent));
  const std::string scan_start = "\xff\xda";
  const size_t second_scan = jpeg.find(scan_start, jpeg.find(scan_start) + 2);
  ASSERT_NE(second_scan, std::string::npos);
  EXPECT_THAT(DecodeJpeg(jpeg.substr(0, second_scan) + "\xff\xd9", {}),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("no data for one of its colour components")));
}

TEST(JpegDecoderTest, EveryCutIsRefused) {
  for (const JpegSpec& spec :
       {Spec(JpegColour::kGrey), Spec(JpegColour::kRgb), Spec(JpegColour::kRgb, JpegScans::kOneAComponent),
        Spec(JpegColour::kRgb, JpegScans::kProgressive), Spec(JpegColour::kCmyk)}) {
    const std::string jpeg = MakeJpeg(spec);
    for (size_t size = 0; size < jpeg.size(); ++size) {
      ASSERT_THAT(DecodeJpeg(std::string(jpeg, 0, size), {}),
                  HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("JPEG: damaged")))
          << size << " of " << jpeg.size();
    }
  }
}

TEST(JpegDecoderTest, FlippedBitsAreRefusedOrGiveAWholePicture) {
  const DecodeLimits limits{1 << 16};
  for (JpegScans scans : {JpegScans::kBaseline, JpegScans::kProgressive}) {
    const std::string jpeg = WithExifOrientation(MakeJpeg(Spec(JpegColour::kRgb, scans)), 6);
    int refused = 0;
    for (size_t bit = 0; bit < jpeg.size() * 8; bit += 3) {
      std::string flipped = jpeg;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      const auto picture = DecodeJpeg(flipped, limits);
      if (!picture.ok()) {
        ++refused;
        ASSERT_EQ(picture.status().code(), absl::StatusCode::kInvalidArgument) << bit;
        continue;
      }
      const int64_t pixels = int64_t{picture->image.width} * picture->image.height;
      ASSERT_LE(pixels, limits.max_pixels) << bit;
      ASSERT_EQ(static_cast<int64_t>(picture->image.pixels.size()), pixels * 3) << bit;
    }
    EXPECT_GT(refused, 100);  // markers, tables and sizes cannot all be harmless
  }
}

TEST(JpegDecoderTest, TrailingBytesAreIgnored) {
  const std::string jpeg = MakeJpeg({});
  const auto picture = DecodeJpeg(jpeg + std::string(1000, '\xff') + "tail", {});
  ASSERT_THAT(picture, IsOk());
  EXPECT_EQ(picture->image.pixels, ReadJpegRgb(jpeg));
}

}  // namespace
}  // namespace candor
