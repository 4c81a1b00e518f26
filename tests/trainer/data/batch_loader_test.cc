// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/batch_loader.h"

#include <algorithm>
#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/data/memory_dataset.h"

namespace candor {
namespace {

using testing::HasSubstr;

LoaderOptions SmallOptions() {
  LoaderOptions options;
  options.augment.crop = 16;
  options.batch_size = 3;
  options.seed = 11;
  options.batches_ahead = 2;
  return options;
}

// Scale 1 and no flip: the first channel, times 255, is the picture's index.
LoaderOptions Unscaled() {
  LoaderOptions options = SmallOptions();
  options.augment.min_scale = options.augment.max_scale = 1;
  options.augment.flip_probability = 0;
  return options;
}

std::vector<Batch> Take(BatchLoader* loader, int count) {
  std::vector<Batch> batches;
  for (int i = 0; i < count; ++i) {
    auto batch = loader->Next();
    EXPECT_THAT(batch, IsOk());
    if (!batch.ok()) break;
    batches.push_back(*std::move(batch));
  }
  return batches;
}

void ExpectEqual(const Batch& a, const Batch& b) {
  EXPECT_EQ(a.count, b.count);
  EXPECT_EQ(a.crop, b.crop);
  EXPECT_EQ(a.images, b.images);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.padding, b.padding);
}

// The index of the picture that each crop of an Unscaled batch shows: the pictures are 14 high, so row 8 is inside.
std::vector<int> PicturesIn(const Batch& batch) {
  std::vector<int> pictures;
  const auto pixels = static_cast<size_t>(batch.crop * batch.crop);
  for (size_t i = 0; i < static_cast<size_t>(batch.count); ++i) {
    pictures.push_back(static_cast<int>(std::lround(batch.images[(i * pixels + pixels / 2) * 3] * 255)));
  }
  return pictures;
}

TEST(BatchesPerEpochTest, ALastBatchOfOneIsLeftOut) {
  LoaderOptions options = SmallOptions();
  EXPECT_EQ(BatchesPerEpoch(9, options), 3);
  EXPECT_EQ(BatchesPerEpoch(10, options), 3);
  EXPECT_EQ(BatchesPerEpoch(11, options), 4);
  options.drop_last = true;
  EXPECT_EQ(BatchesPerEpoch(11, options), 3);
  EXPECT_EQ(BatchesPerEpoch(2, options), 0);
  options.batch_size = 1;
  EXPECT_EQ(BatchesPerEpoch(7, options), 7);
  // Cityscapes as in the paper: 186 iterations an epoch.
  options.batch_size = 16;
  options.drop_last = false;
  EXPECT_EQ(BatchesPerEpoch(2975, options), 186);
}

TEST(BatchLoaderTest, AnEpochShowsThePicturesInItsOrder) {
  const MemoryDataset dataset(MakePictures(8));
  const auto loader = StartLoader(dataset, Unscaled(), 0);
  for (int epoch = 0; epoch < 3; ++epoch) {
    std::vector<int> seen;
    for (const Batch& batch : Take(loader.get(), 3)) {
      for (int index : PicturesIn(batch)) seen.push_back(index);
    }
    EXPECT_EQ(seen, EpochOrder(11, 0, epoch, 8));
  }
}

TEST(BatchLoaderTest, TheNumberOfThreadsChangesNothing) {
  const MemoryDataset dataset(MakePictures(11));
  LoaderOptions options = SmallOptions();
  options.cutmix_probability = 0.5f;
  options.augment.jitter = {0.2f, 0.2f, 0.2f, 0.2f};
  const std::vector<Batch> expected = Take(StartLoader(dataset, options, 0).get(), 10);
  for (int threads : {2, 5}) {
    options.threads = threads;
    options.batches_ahead = threads - 1;
    options.cache_bytes = threads == 2 ? 0 : 5 * 20 * 14 * 4;
    const auto loader = StartLoader(dataset, options, 0);
    for (const Batch& batch : expected) {
      const auto other = loader->Next();
      ASSERT_THAT(other, IsOk());
      ExpectEqual(*other, batch);
    }
  }
}

TEST(BatchLoaderTest, StartingAtAStepEqualsSkippingThoseBefore) {
  const MemoryDataset dataset(MakePictures(8));
  LoaderOptions options = SmallOptions();
  options.threads = 2;
  options.cutmix_probability = 0.5f;
  const std::vector<Batch> all = Take(StartLoader(dataset, options, 0).get(), 9);
  for (size_t first : {1u, 3u, 5u, 8u}) {
    const auto loader = StartLoader(dataset, options, static_cast<int64_t>(first));
    for (size_t i = first; i < all.size(); ++i) {
      const auto batch = loader->Next();
      ASSERT_THAT(batch, IsOk());
      ExpectEqual(*batch, all[i]);
    }
  }
}

TEST(BatchLoaderTest, MembersSeeDifferentCrops) {
  const MemoryDataset dataset(MakePictures(8));
  LoaderOptions options = SmallOptions();
  const std::vector<Batch> first = Take(StartLoader(dataset, options, 0).get(), 1);
  options.member = 1;
  EXPECT_NE(Take(StartLoader(dataset, options, 0).get(), 1)[0].images, first[0].images);
}

TEST(BatchLoaderTest, ValuesAreNormalisedAndPaddingIsNormalisedBlack) {
  const MemoryDataset dataset({MakePicture(8, 8, 255, 1), MakePicture(8, 8, 255, 1)});
  LoaderOptions options = Unscaled();
  options.batch_size = 2;
  options.normalisation = {{0.5f, 0.25f, 0.0f}, {0.5f, 0.25f, 2.0f}};
  const Batch batch = Take(StartLoader(dataset, options, 0).get(), 1)[0];
  EXPECT_EQ(batch.count, 2);
  EXPECT_EQ(batch.crop, 16);
  EXPECT_FLOAT_EQ(batch.images[0], -1);  // (0 - 0.5) / 0.5
  EXPECT_FLOAT_EQ(batch.images[1], -1);
  EXPECT_FLOAT_EQ(batch.images[2], 0);
  EXPECT_EQ(batch.labels[0], kIgnoreLabel);
  EXPECT_EQ(batch.padding[0], 1);
  // Pixel (9, 9) of the crop is (5, 5) of the picture.
  const size_t inside = 9 * 16 + 9;
  EXPECT_FLOAT_EQ(batch.images[inside * 3], 1);
  EXPECT_FLOAT_EQ(batch.images[inside * 3 + 1], (5 / 255.0f - 0.25f) / 0.25f);
  EXPECT_FLOAT_EQ(batch.images[inside * 3 + 2], 5 / 255.0f / 2);
  EXPECT_EQ(batch.labels[inside], 1);
  EXPECT_EQ(batch.padding[inside], 0);
}

TEST(BatchLoaderTest, ACropWithoutALabelIsDrawnAgain) {
  // Of the 49 places of a crop, 17 hold a labelled pixel: without another try two of three crops would hold none.
  std::vector<LabelledPicture> pictures;
  for (int i = 0; i < 30; ++i) {
    pictures.push_back(MakePicture(64, 16, i, kIgnoreLabel));
    for (int x = 0; x < 17; ++x) pictures.back().labels.values[static_cast<size_t>(x)] = 0;
  }
  const MemoryDataset dataset(std::move(pictures));
  int without = 0;
  for (const Batch& batch : Take(StartLoader(dataset, Unscaled(), 0).get(), 10)) {
    for (size_t i = 0; i < 3; ++i) {
      const uint8_t* labels = &batch.labels[i * 256];
      without += std::all_of(labels, labels + 256, [](uint8_t label) { return label == kIgnoreLabel; }) ? 1 : 0;
    }
  }
  EXPECT_LE(without, 3);  // (32 / 49)^11 is 1 %
}

TEST(BatchLoaderTest, APictureWithoutAnyLabelIsKept) {
  const MemoryDataset dataset({MakePicture(16, 16, 1, kIgnoreLabel), MakePicture(16, 16, 2, kIgnoreLabel)});
  LoaderOptions options = Unscaled();
  options.batch_size = 2;
  const Batch batch = Take(StartLoader(dataset, options, 0).get(), 1)[0];
  EXPECT_THAT(batch.labels, testing::Each(kIgnoreLabel));
}

TEST(BatchLoaderTest, APictureThatCannotBeReadEndsTheStreamAfterTheBatchesBefore) {
  const std::vector<int> order = EpochOrder(11, 0, 0, 9);
  const MemoryDataset dataset(MakePictures(9), /*broken=*/order[4]);
  LoaderOptions options = SmallOptions();
  options.threads = 3;
  const auto loader = StartLoader(dataset, options, 0);
  EXPECT_THAT(loader->Next(), IsOk());
  EXPECT_THAT(loader->Next(), HasStatus(absl::StatusCode::kDataLoss, "picture: broken"));
  EXPECT_THAT(loader->Next(), HasStatus(absl::StatusCode::kDataLoss, "picture: broken"));
}

TEST(BatchLoaderTest, ThreadsStopWhenNobodyTakesTheBatches) {
  const MemoryDataset dataset(MakePictures(9));
  LoaderOptions options = SmallOptions();
  options.threads = 4;
  for (int i = 0; i < 20; ++i) StartLoader(dataset, options, 0);
}

TEST(BatchLoaderTest, NoMoreIsPreparedThanAskedFor) {
  const MemoryDataset dataset(MakePictures(90));
  LoaderOptions options = SmallOptions();
  options.threads = 4;
  options.batches_ahead = 2;
  options.cache_bytes = 0;
  {
    const auto loader = StartLoader(dataset, options, 0);
    ASSERT_THAT(loader->Next(), IsOk());
    EXPECT_GE(loader->seconds_waited(), 0);
  }
  EXPECT_LE(dataset.reads(), 9);  // one batch taken, two ahead
}

TEST(BatchLoaderTest, OptionsOutOfRangeAreRefusedByName) {
  const MemoryDataset dataset(MakePictures(4));
  const auto refused = [&](const LoaderOptions& options) { return StartLoader(dataset, options, 0)->Next(); };
  LoaderOptions options = SmallOptions();
  options.threads = 0;
  EXPECT_THAT(refused(options), HasStatus(absl::StatusCode::kInvalidArgument, "threads: must be >= 1, got 0"));
  options = SmallOptions();
  options.batch_size = 5;
  options.drop_last = true;
  EXPECT_THAT(refused(options),
              HasStatus(absl::StatusCode::kInvalidArgument, "batch_size: 4 pictures do not fill a batch of 5"));
  options = SmallOptions();
  options.augment.min_scale = 0;
  EXPECT_THAT(refused(options), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("scale: must be 0 < min")));
  options = SmallOptions();
  options.augment.max_scale = 0.9f;
  EXPECT_THAT(refused(options), HasStatus(absl::StatusCode::kInvalidArgument, HasSubstr("halves need")));
}

}  // namespace
}  // namespace candor
