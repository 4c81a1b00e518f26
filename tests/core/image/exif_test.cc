// SPDX-License-Identifier: Apache-2.0
//
// TIFF directories made by hand, whole and broken.
#include "core/image/exif.h"

#include <cstdint>
#include <random>
#include <string>

#include "gtest/gtest.h"
#include "tests/testing/test_images.h"

namespace candor {
namespace {

// In ExifWithOrientation's little-endian data.
constexpr size_t kTypeAt = 12;
constexpr size_t kCountAt = 14;
constexpr size_t kValueEnd = 20;

TEST(ExifTest, ReadsAllValuesInBothByteOrders) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    EXPECT_EQ(ExifOrientation(ExifWithOrientation(orientation, ByteOrder::kLittleEndian)), orientation);
    EXPECT_EQ(ExifOrientation(ExifWithOrientation(orientation, ByteOrder::kBigEndian)), orientation);
  }
}

TEST(ExifTest, ValuesOutOfRangeMeanUpright) {
  for (int orientation : {0, 9, 127}) EXPECT_EQ(ExifOrientation(ExifWithOrientation(orientation)), 1);
}

TEST(ExifTest, FindsTheTagBehindOthers) {
  std::string tiff = ExifWithOrientation(6);
  tiff[8] = 2;  // two entries; the other is tag 0x0110, ASCII
  tiff.insert(10, std::string("\x10\x01\x02\0\x01\0\0\0x\0\0\0", 12));
  EXPECT_EQ(ExifOrientation(tiff), 6);
}

TEST(ExifTest, WrongTypeOrCountMeansUpright) {
  std::string wrong_type = ExifWithOrientation(6);
  wrong_type[kTypeAt] = 4;
  EXPECT_EQ(ExifOrientation(wrong_type), 1);
  std::string wrong_count = ExifWithOrientation(6);
  wrong_count[kCountAt] = 2;
  EXPECT_EQ(ExifOrientation(wrong_count), 1);
}

TEST(ExifTest, WrongMagicMeansUpright) {
  std::string tiff = ExifWithOrientation(6);
  tiff[2] = 43;
  EXPECT_EQ(ExifOrientation(tiff), 1);
  EXPECT_EQ(ExifOrientation("XX" + ExifWithOrientation(6).substr(2)), 1);
}

TEST(ExifTest, CutDataMeansUpright) {
  const std::string tiff = ExifWithOrientation(6);
  for (size_t size = 0; size < tiff.size(); ++size) {
    const std::string cut(tiff, 0, size);  // a copy of its own, so that the address sanitizer sees its end
    EXPECT_EQ(ExifOrientation(cut), size >= kValueEnd ? 6 : 1) << size;
  }
}

TEST(ExifTest, OffsetsAndCountsPastTheEndAreSafe) {
  std::string far = ExifWithOrientation(6);
  far.replace(4, 4, "\xff\xff\xff\xff");
  EXPECT_EQ(ExifOrientation(far), 1);
  std::string many = ExifWithOrientation(6);
  many.replace(8, 2, "\xff\xff");
  many[10] = 0;  // no longer the orientation's tag
  EXPECT_EQ(ExifOrientation(many), 1);
}

TEST(ExifTest, AnyBytesGiveAValidOrientation) {
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = ExifWithOrientation(static_cast<int>(random() % 9));
    for (int changes = 0; changes < 3; ++changes) bytes[random() % bytes.size()] = static_cast<char>(random());
    const int orientation = ExifOrientation(bytes);
    ASSERT_GE(orientation, 1);
    ASSERT_LE(orientation, 8);
  }
}

}  // namespace
}  // namespace candor
