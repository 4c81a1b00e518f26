// SPDX-License-Identifier: Apache-2.0
//
// Camera formats with known colours, strides with gaps, and shapes that do not add up.
#include "core/image/raw_image.h"

#include <algorithm>
#include <array>
#include <climits>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

std::string Bytes(const std::vector<int>& values) { return std::string(values.begin(), values.end()); }

RawImage Raw(PixelFormat format, int width, int height, absl::string_view data, int stride = 0) {
  return {format, width, height, stride, data};
}

std::vector<uint8_t> Pixels(const RawImage& raw) {
  const auto picture = OpenRawImage(raw, {});
  EXPECT_THAT(picture, IsOk());
  return picture.ok() ? picture->ToImage().pixels : std::vector<uint8_t>();
}

void ExpectRefused(const RawImage& raw, const std::string& field, const DecodeLimits& limits = {}) {
  EXPECT_THAT(OpenRawImage(raw, limits), HasStatus(absl::StatusCode::kInvalidArgument, StartsWith(field + ": ")));
}

// ITU-R BT.601, limited range, in floating point.
std::array<int, 3> Bt601(int y, int u, int v) {
  const double luma = 255.0 / 219.0 * (y - 16);
  const double scale = 255.0 / 112.0;
  const double red = luma + scale * 0.701 * (v - 128);
  const double green = luma - scale * 0.886 * 0.114 / 0.587 * (u - 128) - scale * 0.701 * 0.299 / 0.587 * (v - 128);
  const double blue = luma + scale * 0.886 * (u - 128);
  const auto byte = [](double value) { return static_cast<int>(std::lround(std::clamp(value, 0.0, 255.0))); };
  return {byte(red), byte(green), byte(blue)};
}

struct Yuv {
  int y, u, v;
};

// Black, white, grey, the three primaries and some between.
const std::vector<Yuv> kColours = {{16, 128, 128}, {235, 128, 128}, {126, 128, 128}, {81, 90, 240}, {145, 54, 34},
                                   {41, 240, 110}, {210, 16, 146},  {100, 100, 180}, {60, 200, 40}};

void ExpectNear(const uint8_t* pixel, const Yuv& colour) {
  const std::array<int, 3> expected = Bt601(colour.y, colour.u, colour.v);
  for (int c = 0; c < 3; ++c) {
    EXPECT_NEAR(pixel[c], expected[c], 2) << colour.y << " " << colour.u << " " << colour.v << " channel " << c;
  }
}

TEST(RawImageTest, RgbBgrAndGreyAreCopied) {
  const std::string data = Bytes({1, 2, 3, 4, 5, 250});
  EXPECT_THAT(Pixels(Raw(PixelFormat::kRgb8, 2, 1, data)), ElementsAre(1, 2, 3, 4, 5, 250));
  EXPECT_THAT(Pixels(Raw(PixelFormat::kBgr8, 1, 2, data)), ElementsAre(3, 2, 1, 250, 5, 4));
  EXPECT_THAT(Pixels(Raw(PixelFormat::kGrey8, 2, 1, Bytes({7, 255}))), ElementsAre(7, 7, 7, 255, 255, 255));
}

TEST(RawImageTest, GapsBetweenRowsAreSkipped) {
  const std::string data = Bytes({1, 2, 3, 99, 99, 4, 5, 6, 99, 99});
  EXPECT_THAT(Pixels(Raw(PixelFormat::kRgb8, 1, 2, data, 5)), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(Pixels(Raw(PixelFormat::kBgr8, 1, 2, data, 5)), ElementsAre(3, 2, 1, 6, 5, 4));
  const std::string without_last_gap = data.substr(0, 8);
  EXPECT_THAT(Pixels(Raw(PixelFormat::kRgb8, 1, 2, without_last_gap, 5)), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(RawImageTest, YuyvIsBt601OfLimitedRange) {
  for (const Yuv& colour : kColours) {
    // Two pixels share their chroma: Y0 U Y1 V.
    const std::vector<uint8_t> pixels =
        Pixels(Raw(PixelFormat::kYuyv, 2, 1, Bytes({colour.y, colour.u, 50, colour.v})));
    ASSERT_EQ(pixels.size(), 6u);
    ExpectNear(&pixels[0], colour);
    ExpectNear(&pixels[3], {50, colour.u, colour.v});
  }
}

TEST(RawImageTest, Nv12IsBt601OfLimitedRange) {
  for (const Yuv& colour : kColours) {
    // Four pixels share their chroma, which follows as U V.
    const std::vector<uint8_t> pixels =
        Pixels(Raw(PixelFormat::kNv12, 2, 2, Bytes({colour.y, 50, 100, 200, colour.u, colour.v})));
    ASSERT_EQ(pixels.size(), 12u);
    ExpectNear(&pixels[0], colour);
    ExpectNear(&pixels[3], {50, colour.u, colour.v});
    ExpectNear(&pixels[6], {100, colour.u, colour.v});
    ExpectNear(&pixels[9], {200, colour.u, colour.v});
  }
}

TEST(RawImageTest, YuvFormatsTakeStrides) {
  const Yuv a = kColours[3];
  const Yuv b = kColours[5];
  const std::string yuyv = Bytes({a.y, a.u, a.y, a.v, 0, 0, b.y, b.u, b.y, b.v, 0, 0});
  const std::vector<uint8_t> from_yuyv = Pixels(Raw(PixelFormat::kYuyv, 2, 2, yuyv, 6));
  ASSERT_EQ(from_yuyv.size(), 12u);
  ExpectNear(&from_yuyv[3], a);
  ExpectNear(&from_yuyv[9], b);

  // Width 4: four rows of luma, two of chroma; the left half is a, the right b.
  std::vector<int> nv12;
  for (int row = 0; row < 4; ++row) nv12.insert(nv12.end(), {a.y, a.y, b.y, b.y, 0, 0, 0});
  for (int row = 0; row < 2; ++row) nv12.insert(nv12.end(), {a.u, a.v, b.u, b.v, 0, 0, 0});
  for (size_t missing : {0, 3}) {
    const std::string data = Bytes(nv12).substr(0, nv12.size() - missing);
    const std::vector<uint8_t> pixels = Pixels(Raw(PixelFormat::kNv12, 4, 4, data, 7));
    ASSERT_EQ(pixels.size(), 48u);
    for (int y = 0; y < 4; ++y) {
      ExpectNear(&pixels[y * 12 + 3], a);
      ExpectNear(&pixels[y * 12 + 6], b);
    }
  }
}

TEST(RawImageTest, SizesBelowOneAreRefused) {
  for (int value : {0, -1, INT_MIN}) {
    ExpectRefused(Raw(PixelFormat::kRgb8, value, 1, "abc"), "width");
    ExpectRefused(Raw(PixelFormat::kRgb8, 1, value, "abc"), "height");
  }
}

TEST(RawImageTest, SharedChromaNeedsEvenSides) {
  ExpectRefused(Raw(PixelFormat::kYuyv, 3, 2, std::string(12, '\0')), "width");
  ExpectRefused(Raw(PixelFormat::kNv12, 3, 2, std::string(9, '\0')), "width");
  ExpectRefused(Raw(PixelFormat::kNv12, 2, 3, std::string(9, '\0')), "height");
  EXPECT_THAT(OpenRawImage(Raw(PixelFormat::kYuyv, 2, 3, std::string(12, '\0')), {}), IsOk());
}

TEST(RawImageTest, StrideMustHoldARow) {
  ExpectRefused(Raw(PixelFormat::kRgb8, 2, 1, std::string(6, '\0'), 5), "stride");
  ExpectRefused(Raw(PixelFormat::kRgb8, 2, 1, std::string(6, '\0'), -6), "stride");
  ExpectRefused(Raw(PixelFormat::kYuyv, 2, 1, std::string(4, '\0'), 3), "stride");
}

TEST(RawImageTest, DataMustHaveTheSizeOfTheShape) {
  for (size_t size : {0, 1, 17, 19, 36}) ExpectRefused(Raw(PixelFormat::kRgb8, 3, 2, std::string(size, '\0')), "data");
  for (size_t size : {15, 17, 18, 21}) {
    ExpectRefused(Raw(PixelFormat::kRgb8, 3, 2, std::string(size, '\0'), 10), "data");
  }
  ExpectRefused(Raw(PixelFormat::kNv12, 2, 2, std::string(4, '\0')), "data");  // no chroma
}

TEST(RawImageTest, PixelLimitComesBeforeTheData) {
  ExpectRefused(Raw(PixelFormat::kGrey8, 4, 3, std::string(12, '\0')), "width", DecodeLimits{11});
  EXPECT_THAT(OpenRawImage(Raw(PixelFormat::kGrey8, 4, 3, std::string(12, '\0')), DecodeLimits{12}), IsOk());
  ExpectRefused(Raw(PixelFormat::kGrey8, 65536, 65536, ""), "width");  // 2^32: 0 in 32 bits
}

TEST(RawImageTest, ProductsNearTheEdgeOfTheTypesAreRefused) {
  const DecodeLimits no_limit{std::numeric_limits<int64_t>::max()};
  ExpectRefused(Raw(PixelFormat::kGrey8, INT_MAX, INT_MAX, "x", INT_MAX), "data", no_limit);
  ExpectRefused(Raw(PixelFormat::kNv12, INT_MAX - 1, INT_MAX - 1, "x", INT_MAX), "data", no_limit);
  ExpectRefused(Raw(PixelFormat::kRgb8, INT_MAX, INT_MAX, "x"), "data", no_limit);
  ExpectRefused(Raw(PixelFormat::kRgb8, INT_MAX, 1, "x", INT_MAX), "stride", no_limit);
  ExpectRefused(Raw(PixelFormat::kGrey8, 1, 2, std::string(2, '\0'), INT_MAX), "data");
}

// As a message comes off the network: cut anywhere, also within a pixel.
TEST(RawImageTest, BytesInPiecesAreTheSameAsInOne) {
  std::string bytes(4 * 6 * 3, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(7 * i);
  const std::vector<RawImage> images = {Raw(PixelFormat::kRgb8, 4, 6, bytes), Raw(PixelFormat::kRgb8, 3, 6, bytes, 12),
                                        Raw(PixelFormat::kBgr8, 4, 6, bytes), Raw(PixelFormat::kGrey8, 12, 6, bytes),
                                        Raw(PixelFormat::kYuyv, 6, 6, bytes), Raw(PixelFormat::kNv12, 6, 8, bytes)};
  for (const RawImage& raw : images) {
    std::vector<absl::string_view> pieces;
    for (size_t i = 0; i < bytes.size(); i += 5) pieces.push_back(absl::string_view(bytes).substr(i, 5));
    RawImage without = raw;
    without.data = {};
    const absl::StatusOr<Picture> picture = OpenRawImage(without, pieces, {});
    ASSERT_THAT(picture, IsOk());
    EXPECT_EQ(picture->ToImage().pixels, Pixels(raw));
    pieces.pop_back();
    EXPECT_THAT(OpenRawImage(without, pieces, {}), HasStatus(absl::StatusCode::kInvalidArgument, StartsWith("data: ")));
    EXPECT_THAT(OpenRawImage(without, {}, {}), HasStatus(absl::StatusCode::kInvalidArgument, StartsWith("data: ")));
  }
}

}  // namespace
}  // namespace candor
