// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/picture_cache.h"

#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/data/memory_dataset.h"

namespace candor {
namespace {

constexpr int64_t kBytesEach = 20 * 14 * 4;

TEST(PictureCacheTest, APictureIsReadOnce) {
  const MemoryDataset dataset(MakePictures(2));
  PictureCache cache(dataset, 10 * kBytesEach);
  ASSERT_THAT(cache.Get(1), IsOk());
  const auto again = cache.Get(1);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ((*again)->image.pixels[0], 1);
  EXPECT_EQ(dataset.reads(), 1);
  EXPECT_EQ(cache.bytes(), kBytesEach);
}

TEST(PictureCacheTest, NoMoreIsKeptThanTheLimit) {
  const MemoryDataset dataset(MakePictures(3));
  PictureCache cache(dataset, 2 * kBytesEach + 1);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 3; ++i) ASSERT_THAT(cache.Get(i), IsOk());
  }
  EXPECT_EQ(cache.bytes(), 2 * kBytesEach);
  EXPECT_EQ(dataset.reads(), 4);  // the third one twice
}

TEST(PictureCacheTest, AnErrorIsPassedOn) {
  const MemoryDataset dataset(MakePictures(2), /*broken=*/0);
  PictureCache cache(dataset, kBytesEach);
  EXPECT_THAT(cache.Get(0), HasStatus(absl::StatusCode::kDataLoss, "picture: broken"));
}

}  // namespace
}  // namespace candor
