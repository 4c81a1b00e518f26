// SPDX-License-Identifier: Apache-2.0
#include "core/image/picture.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace candor {
namespace {

constexpr int kWidth = 5;
constexpr int kHeight = 4;

Image Numbered() {
  Image image{kWidth, kHeight, {}};
  for (int i = 0; i < 3 * kWidth * kHeight; ++i) image.pixels.push_back(static_cast<uint8_t>(i));
  return image;
}

absl::string_view BytesOf(const Image& image) {
  return {reinterpret_cast<const char*>(image.pixels.data()), image.pixels.size()};
}

void ExpectNumbered(const Picture& picture) {
  ASSERT_EQ(picture.width(), kWidth);
  ASSERT_EQ(picture.height(), kHeight);
  EXPECT_EQ(picture.bytes(), 60);
  std::vector<uint8_t> scratch;
  for (const int y : {3, 0, 2, 1}) {
    const uint8_t* row = picture.Row(y, &scratch);
    for (int i = 0; i < 3 * kWidth; ++i) EXPECT_EQ(row[i], 3 * kWidth * y + i);
  }
  EXPECT_EQ(picture.ToImage().pixels, Numbered().pixels);
}

TEST(PictureTest, OfAnImage) {
  Picture picture(Numbered());
  ExpectNumbered(picture);
  Picture moved(std::move(picture));
  ExpectNumbered(moved);
  EXPECT_EQ(picture.bytes(), 0);  // NOLINT(bugprone-use-after-move): it says so
  picture = std::move(moved);
  ExpectNumbered(picture);
}

TEST(PictureTest, OfPiecesCutAnywhere) {
  const Image image = Numbered();
  const absl::string_view bytes = BytesOf(image);
  for (size_t length = 1; length <= bytes.size(); ++length) {
    SCOPED_TRACE(length);
    std::vector<absl::string_view> pieces = {""};
    for (size_t i = 0; i < bytes.size(); i += length) pieces.insert(pieces.end(), {bytes.substr(i, length), ""});
    ExpectNumbered(Picture(kWidth, kHeight, pieces));
  }
}

TEST(PictureTest, BorrowsWithoutACopy) {
  const Image image = Numbered();
  const absl::string_view bytes = BytesOf(image);
  std::vector<uint8_t> scratch;
  EXPECT_EQ(Picture::Borrow(image).Row(1, &scratch), image.pixels.data() + 15);
  const Picture cut(kWidth, kHeight, {bytes.substr(0, 20), bytes.substr(20)});
  EXPECT_EQ(cut.Row(0, &scratch), image.pixels.data());
  const uint8_t* shared = cut.Row(1, &scratch);
  EXPECT_EQ(shared, scratch.data());  // two pieces have it
  EXPECT_EQ(cut.Row(2, &scratch), image.pixels.data() + 30);
}

TEST(PictureTest, OfNothing) {
  const Picture nothing;
  EXPECT_EQ(nothing.bytes(), 0);
  EXPECT_TRUE(nothing.ToImage().pixels.empty());
  EXPECT_EQ(Picture(0, 0, {}).ToImage().width, 0);
}

}  // namespace
}  // namespace candor
