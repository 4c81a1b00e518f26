// SPDX-License-Identifier: Apache-2.0
#include "client/bench/load_picture.h"

#include <gtest/gtest.h>

#include "core/image/encode.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

TEST(GeneratedImageTest, IsTheSameEveryTimeAndVaries) {
  const Image image = GeneratedImage(97, 50);
  ASSERT_EQ(image.pixels.size(), 97U * 50 * 3);
  EXPECT_EQ(image.pixels, GeneratedImage(97, 50).pixels);
  // One byte a pixel at least, as for a photograph; a flat picture would take a few hundred in all.
  EXPECT_GT(EncodeRgbPng(image).size(), 97U * 50);
  EXPECT_EQ(GeneratedImage(1, 1).pixels.size(), 3U);
}

TEST(AsRawTest, HasTheFilesPixels) {
  const Image image = GeneratedImage(5, 4);
  const auto raw = AsRaw({"a.png", EncodeRgbPng(image), {}});
  ASSERT_THAT(raw, IsOk());
  EXPECT_EQ(raw->name, "a.png");
  EXPECT_EQ(raw->pixels.pixels, image.pixels);
  EXPECT_EQ(raw->file_bytes, "");
  EXPECT_THAT(AsRaw({"a.png", "text", {}}), HasStatus(absl::StatusCode::kInvalidArgument, testing::_));
}

}  // namespace
}  // namespace candor
