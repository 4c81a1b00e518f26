// SPDX-License-Identifier: Apache-2.0
#include "client/cli/jpeg_splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "client/bench/load_picture.h"
#include "core/image/encode.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using testing::HasSubstr;

constexpr size_t kMany = 1 << 20;

TEST(JpegSplitterTest, GivesTheFilesWhateverThePiecesTheyComeIn) {
  const std::vector<std::string> files = {EncodeJpeg(GeneratedImage(40, 30), 90), EncodeJpeg(GeneratedImage(7, 5), 20),
                                          EncodeJpeg(GeneratedImage(64, 64), 99)};
  const std::string all = files[0] + files[1] + files[2];
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{1000}, all.size()}) {
    JpegSplitter splitter;
    std::vector<std::string> found;
    for (size_t i = 0; i < all.size(); i += piece) {
      splitter.Append(absl::string_view(all).substr(i, piece));
      for (;;) {
        const auto file = splitter.Next(kMany);
        ASSERT_THAT(file, IsOk());
        if (!file->has_value()) break;
        found.push_back(**file);
      }
    }
    EXPECT_EQ(found, files) << "pieces of " << piece;
    EXPECT_FALSE(splitter.has_rest());
  }
}

TEST(JpegSplitterTest, TakesNoEndFromWithinASegmentOrFromCodedData) {
  // SOI, APP1 of 6 bytes with an end marker in it, SOS of 3 bytes, data with FF 00, a restart and fill bytes, EOI.
  const std::string file(
      "\xFF\xD8\xFF\xE1\x00\x06\xFF\xD9\xFF\xD9\xFF\xDA\x00\x03\x01\xAA\xFF\x00\xFF\xD0\xBB\xFF\xFF\xD9", 24);
  JpegSplitter splitter;
  splitter.Append(file + file.substr(0, 9));
  EXPECT_EQ(**splitter.Next(kMany), file);
  EXPECT_FALSE(splitter.Next(kMany)->has_value());
  EXPECT_TRUE(splitter.has_rest());
}

TEST(JpegSplitterTest, RefusesOtherBytesAndEndlessPictures) {
  JpegSplitter splitter;
  splitter.Append("\x89PNG\r\n");
  EXPECT_THAT(splitter.Next(kMany), HasStatus(absl::StatusCode::kDataLoss, HasSubstr("must be JPEG files")));
  JpegSplitter endless;
  endless.Append(EncodeJpeg(GeneratedImage(40, 30), 90).substr(0, 500));
  EXPECT_FALSE(endless.Next(500)->has_value());
  EXPECT_THAT(endless.Next(499), HasStatus(absl::StatusCode::kDataLoss, HasSubstr("at most 499 bytes")));
}

}  // namespace
}  // namespace candor
