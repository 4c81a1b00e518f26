// SPDX-License-Identifier: Apache-2.0
//
// Every kind of PNG by its definition, and damage of every kind.
#include "core/image/png_decoder.h"

#include <zlib.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/test_images.h"

namespace candor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int kGrey = 0, kRgb = 2, kPalette = 3, kGreyAlpha = 4, kRgba = 6;
constexpr size_t kHeaderBytes = 33;  // signature and IHDR
constexpr size_t kEndBytes = 12;     // IEND

PngSpec Spec(int width, int height, int depth, int colour_type, std::vector<uint8_t> rows) {
  PngSpec spec;
  spec.width = width;
  spec.height = height;
  spec.depth = depth;
  spec.colour_type = colour_type;
  spec.rows = std::move(rows);
  return spec;
}

std::vector<uint8_t> Samples(const std::string& png, PngSamples samples = PngSamples::kRgb) {
  auto picture = DecodePng(png, samples, {});
  EXPECT_THAT(picture, IsOk());
  return picture.ok() ? picture->samples : std::vector<uint8_t>();
}

// A grey picture of 2 x 2 around this compressed data.
std::string AroundPixelData(const std::string& compressed) {
  const std::string png = MakePng(Spec(2, 2, 8, kGrey, {}));
  return WithPngChunk(png.substr(0, kHeaderBytes) + png.substr(png.size() - kEndBytes), "IDAT", compressed);
}

std::string Compress(const std::string& bytes) {
  std::string compressed(compressBound(bytes.size()), '\0');
  uLongf size = compressed.size();
  EXPECT_EQ(compress(reinterpret_cast<Bytef*>(compressed.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
                     bytes.size()),
            Z_OK);
  return compressed.substr(0, size);
}

// Two rows, each: filter 0, two grey values.
const std::string kTwoRows("\0\x0a\x14\0\x1e\x28", 6);

TEST(PngDecoderTest, RgbIsReadAsItIs) {
  EXPECT_THAT(Samples(MakePng(Spec(2, 1, 8, kRgb, {1, 2, 3, 250, 251, 252}))), ElementsAre(1, 2, 3, 250, 251, 252));
}

TEST(PngDecoderTest, SixteenBitsAreScaledToEight) {
  // v * 255 / 65535, rounded: 0, 0.99, 127.00, 128.00, 255.
  EXPECT_THAT(Samples(MakePng(Spec(5, 1, 16, kGrey, {0, 0, 0, 0xff, 0x7f, 0x80, 0x80, 0x80, 0xff, 0xff}))),
              ElementsAre(0, 0, 0, 1, 1, 1, 127, 127, 127, 128, 128, 128, 255, 255, 255));
  EXPECT_THAT(Samples(MakePng(Spec(1, 1, 16, kRgb, {0x01, 0x01, 0x02, 0x02, 0xfe, 0xfe}))), ElementsAre(1, 2, 254));
}

TEST(PngDecoderTest, SmallGreyDepthsSpanBlackToWhite) {
  EXPECT_THAT(Samples(MakePng(Spec(2, 1, 1, kGrey, {0b01000000}))), ElementsAre(0, 0, 0, 255, 255, 255));
  EXPECT_THAT(Samples(MakePng(Spec(4, 1, 2, kGrey, {0b00011011}))),
              ElementsAre(0, 0, 0, 85, 85, 85, 170, 170, 170, 255, 255, 255));
  EXPECT_THAT(Samples(MakePng(Spec(2, 1, 4, kGrey, {0x2f}))), ElementsAre(34, 34, 34, 255, 255, 255));
}

TEST(PngDecoderTest, AlphaIsDroppedNotBlended) {
  EXPECT_THAT(Samples(MakePng(Spec(2, 1, 8, kRgba, {9, 8, 7, 0, 6, 5, 4, 128}))), ElementsAre(9, 8, 7, 6, 5, 4));
  EXPECT_THAT(Samples(MakePng(Spec(1, 1, 8, kGreyAlpha, {77, 0}))), ElementsAre(77, 77, 77));
}

TEST(PngDecoderTest, PaletteGivesColoursOrIndices) {
  for (int depth : {1, 2, 4, 8}) {
    PngSpec spec = Spec(1, 2, depth, kPalette, {static_cast<uint8_t>(1 << (8 - depth)), 0});
    spec.palette = {10, 20, 30, 40, 50, 60};
    const std::string png = MakePng(spec);
    EXPECT_THAT(Samples(png), ElementsAre(40, 50, 60, 10, 20, 30)) << depth;
    EXPECT_THAT(Samples(png, PngSamples::kIndices), ElementsAre(1, 0)) << depth;
  }
}

TEST(PngDecoderTest, TransparencyOfAPaletteChangesNothing) {
  PngSpec spec = Spec(1, 1, 8, kPalette, {1});
  spec.palette = {10, 20, 30, 40, 50, 60};
  std::string png = MakePng(spec);
  const std::string both_clear("\0\0", 2);
  const std::string chunk = WithPngChunk(png, "tRNS", both_clear).substr(kHeaderBytes, 12 + both_clear.size());
  png.insert(png.find("IDAT") - 4, chunk);  // its place is behind the palette
  EXPECT_THAT(Samples(png), ElementsAre(40, 50, 60));
}

TEST(PngDecoderTest, GreyValuesAreIndicesUnscaled) {
  EXPECT_THAT(Samples(MakePng(Spec(4, 1, 2, kGrey, {0b00011011})), PngSamples::kIndices), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(Samples(MakePng(Spec(2, 1, 8, kGrey, {7, 255})), PngSamples::kIndices), ElementsAre(7, 255));
}

TEST(PngDecoderTest, IndicesAreNotReadFromOtherKinds) {
  for (const auto& [depth, colour_type] : {std::pair(8, kRgb), {16, kGrey}, {8, kGreyAlpha}, {8, kRgba}}) {
    EXPECT_THAT(DecodePng(MakePng(Spec(2, 2, depth, colour_type, {})), PngSamples::kIndices, {}),
                HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("must be 8-bit grey or palette")));
  }
}

TEST(PngDecoderTest, InterlacingMakesNoDifference) {
  PngSpec spec = Spec(13, 11, 8, kRgb, {});
  const std::string plain = MakePng(spec);
  spec.is_interlaced = true;
  const std::string interlaced = MakePng(spec);
  EXPECT_NE(plain, interlaced);
  EXPECT_EQ(Samples(interlaced), Samples(plain));
}

TEST(PngDecoderTest, OrientationIsRead) {
  PngSpec spec = Spec(2, 2, 8, kRgb, {});
  spec.exif_orientation = 6;
  const auto picture = DecodePng(MakePng(spec), PngSamples::kRgb, {});
  ASSERT_THAT(picture, IsOk());
  EXPECT_EQ(picture->exif_orientation, 6);
}

TEST(PngDecoderTest, AnimationGivesTheDefaultPicture) {
  // An APNG of one frame: acTL with 1 frame, 0 plays.
  const std::string png = MakePng(Spec(2, 1, 8, kRgb, {1, 2, 3, 4, 5, 6}));
  EXPECT_THAT(Samples(WithPngChunk(png, "acTL", std::string("\0\0\0\x01\0\0\0\0", 8))), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(PngDecoderTest, ComplaintsAboutOtherChunksRefuseNothing) {
  const std::string png = MakePng(Spec(2, 1, 8, kRgb, {1, 2, 3, 4, 5, 6}));
  for (const char* type : {"iCCP", "gAMA", "sRGB", "tIME", "zTXt", "iTXt", "pHYs", "eXIf", "tRNS", "prVt"}) {
    EXPECT_THAT(Samples(WithPngChunk(png, type, "nonsense")), ElementsAre(1, 2, 3, 4, 5, 6)) << type;
  }
}

TEST(PngDecoderTest, CompressedTextIsNotInflated) {
  const std::string png = MakePng(Spec(2, 1, 8, kRgb, {1, 2, 3, 4, 5, 6}));
  const std::string bomb = std::string("k\0\0", 3) + Compress(std::string(50 << 20, 'x'));
  EXPECT_THAT(Samples(WithPngChunk(png, "zTXt", bomb)), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(PngDecoderTest, UnknownCriticalChunkIsRefused) {
  EXPECT_THAT(DecodePng(WithPngChunk(MakePng({}), "CgBI", "abcd"), PngSamples::kRgb, {}),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("CgBI")));
}

TEST(PngDecoderTest, SizeIsCheckedFromTheHeader) {
  const std::string png = MakePng(Spec(4, 3, 8, kGrey, {}));
  EXPECT_THAT(DecodePng(png, PngSamples::kRgb, DecodeLimits{12}), IsOk());
  EXPECT_THAT(DecodePng(png, PngSamples::kRgb, DecodeLimits{11}),
              HasStatus(absl::StatusCode::kInvalidArgument, "PNG: 4 x 3 pixels, more than the limit of 11"));
  EXPECT_THAT(DecodePng(WithPngSize(png, 25000, 25000), PngSamples::kIndices, {}),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("25000 x 25000 pixels, more than the limit")));
  EXPECT_THAT(DecodePng(WithPngSize(png, 0x7fffffff, 0x7fffffff), PngSamples::kRgb, {}),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("2147483647 x 2147483647")));
  EXPECT_THAT(DecodePng(WithPngSize(png, 0, 3), PngSamples::kRgb, {}),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("PNG: damaged")));
}

TEST(PngDecoderTest, EveryCutIsRefused) {
  PngSpec spec = Spec(9, 7, 4, kPalette, {});
  spec.exif_orientation = 3;
  for (bool is_interlaced : {false, true}) {
    spec.is_interlaced = is_interlaced;
    const std::string png = WithPngChunk(MakePng(spec), "tEXt", "Title");
    ASSERT_THAT(DecodePng(png, PngSamples::kRgb, {}), IsOk());
    for (size_t size = 0; size < png.size(); ++size) {
      EXPECT_THAT(DecodePng(std::string(png, 0, size), PngSamples::kRgb, {}),
                  HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("PNG: damaged")))
          << size;
    }
  }
}

TEST(PngDecoderTest, EveryFlippedBitIsRefused) {
  PngSpec spec = Spec(9, 7, 4, kPalette, {});
  spec.exif_orientation = 3;
  const std::string png = WithPngChunk(MakePng(spec), "tEXt", "Title");
  for (size_t bit = 0; bit < png.size() * 8; ++bit) {
    std::string flipped = png;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_THAT(DecodePng(flipped, PngSamples::kRgb, {}),
                HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("PNG")))
        << bit;
  }
}

TEST(PngDecoderTest, PixelDataMustFitThePictureAndTheirChecksum) {
  EXPECT_THAT(Samples(AroundPixelData(Compress(kTwoRows)), PngSamples::kIndices), ElementsAre(10, 20, 30, 40));

  std::string wrong_checksum = Compress(kTwoRows);
  wrong_checksum.back() = static_cast<char>(wrong_checksum.back() ^ 1);
  std::string no_checksum = Compress(kTwoRows);
  no_checksum.resize(no_checksum.size() - 4);
  for (const std::string& data : {wrong_checksum, no_checksum, Compress(kTwoRows.substr(0, 5)),
                                  Compress(kTwoRows + "more"), std::string(), std::string("not zlib at all")}) {
    EXPECT_THAT(DecodePng(AroundPixelData(data), PngSamples::kRgb, {}),
                HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("PNG: damaged: ")));
  }
}

TEST(PngDecoderTest, UnknownFilterIsRefused) {
  std::string rows = kTwoRows;
  rows[0] = 5;
  EXPECT_THAT(DecodePng(AroundPixelData(Compress(rows)), PngSamples::kRgb, {}),
              HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("damaged")));
}

TEST(PngDecoderTest, BytesBehindThePixelsOrTheEndAreIgnored) {
  EXPECT_THAT(Samples(AroundPixelData(Compress(kTwoRows) + "tail"), PngSamples::kIndices), ElementsAre(10, 20, 30, 40));
  EXPECT_THAT(Samples(AroundPixelData(Compress(kTwoRows)) + "tail", PngSamples::kIndices), ElementsAre(10, 20, 30, 40));
}

}  // namespace
}  // namespace candor
