// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/cut_mix.h"

#include <algorithm>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace candor {
namespace {

constexpr int kCrop = 16;
constexpr size_t kPixels = kCrop * kCrop;

// Crop i has the value i in images, labels and padding.
Batch Numbered(int count) {
  Batch batch;
  batch.count = count;
  batch.crop = kCrop;
  for (int i = 0; i < count; ++i) {
    batch.images.insert(batch.images.end(), kPixels * 3, static_cast<float>(i));
    batch.labels.insert(batch.labels.end(), kPixels, static_cast<uint8_t>(i));
    batch.padding.insert(batch.padding.end(), kPixels, static_cast<uint8_t>(i));
  }
  return batch;
}

TEST(CutMixTest, ACropKeepsItsOwnPixelsOutsideOneRectangleOfOneOtherCrop) {
  int mixed = 0;
  for (uint64_t key = 0; key < 50; ++key) {
    Batch batch = Numbered(3);
    CutMix(1, key, &batch);
    for (int i = 0; i < 3; ++i) {
      const uint8_t* labels = &batch.labels[static_cast<size_t>(i) * kPixels];
      int left = kCrop, right = -1, top = kCrop, bottom = -1, foreign = 0, other = -1;
      for (int p = 0; p < kCrop * kCrop; ++p) {
        if (labels[p] == i) continue;
        if (other < 0) other = labels[p];
        ASSERT_EQ(labels[p], other);
        left = std::min(left, p % kCrop), right = std::max(right, p % kCrop);
        top = std::min(top, p / kCrop), bottom = std::max(bottom, p / kCrop);
        ++foreign;
      }
      if (foreign == 0) continue;
      ++mixed;
      EXPECT_EQ(foreign, (right - left + 1) * (bottom - top + 1));
    }
  }
  EXPECT_GT(mixed, 120);  // of 150; the rest drew an area of nearly 0
}

TEST(CutMixTest, PixelsLabelsAndPaddingMoveTogether) {
  Batch batch = Numbered(4);
  CutMix(1, 7, &batch);
  EXPECT_EQ(batch.labels, batch.padding);
  for (size_t p = 0; p < batch.labels.size(); ++p) {
    for (size_t c = 0; c < 3; ++c) ASSERT_EQ(batch.images[3 * p + c], static_cast<float>(batch.labels[p]));
  }
  EXPECT_NE(batch.labels, Numbered(4).labels);
}

// The mean of a uniform share is a half; cutting at the borders takes some of it.
TEST(CutMixTest, TheSharePastedVaries) {
  int small = 0;
  int large = 0;
  for (uint64_t key = 0; key < 200; ++key) {
    Batch batch = Numbered(2);
    CutMix(1, key, &batch);
    const auto foreign = std::count(batch.labels.begin(), batch.labels.begin() + kPixels, 1);
    small += foreign < static_cast<int>(kPixels) / 8 ? 1 : 0;
    large += foreign > static_cast<int>(kPixels) / 2 ? 1 : 0;
  }
  EXPECT_GT(small, 10);
  EXPECT_GT(large, 10);
}

TEST(CutMixTest, ProbabilityZeroAndASingleCropChangeNothing) {
  Batch batch = Numbered(3);
  CutMix(0, 1, &batch);
  EXPECT_EQ(batch.labels, Numbered(3).labels);
  Batch single = Numbered(1);
  CutMix(1, 1, &single);
  EXPECT_EQ(single.labels, Numbered(1).labels);
}

}  // namespace
}  // namespace candor
