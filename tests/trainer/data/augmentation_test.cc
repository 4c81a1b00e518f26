// SPDX-License-Identifier: Apache-2.0
//
// The pictures' second and third channel are their pixels' x and y, so that a crop says where it comes from.
#include "trainer/data/augmentation.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "core/image/resize.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainer/data/memory_dataset.h"

namespace candor {
namespace {

constexpr int kCrop = 16;

// No scaling, no flip, no jitter.
AugmentOptions CropOnly(int crop = kCrop) {
  AugmentOptions options;
  options.crop = crop;
  options.min_scale = 1;
  options.max_scale = 1;
  options.scale_sampling = ScaleSampling::kUniform;
  options.flip_probability = 0;
  return options;
}

SampleKey KeyOfSample(int sample) { return {1, 0, 0, sample}; }

struct Pixel {
  int value;
  int x;
  int y;
};

Pixel At(const Crop& crop, int x, int y) {
  const uint8_t* pixel = &crop.picture.image.pixels[static_cast<size_t>(y * crop.picture.image.width + x) * 3];
  return {pixel[0], pixel[1], pixel[2]};
}

// Pixels that are not padding, in the middle row and column: the size of what a large crop holds.
std::pair<int, int> SizeInside(const Crop& crop) {
  const int side = crop.picture.image.width;
  int width = 0;
  int height = 0;
  for (int i = 0; i < side; ++i) {
    width += crop.padding[static_cast<size_t>(side / 2 * side + i)] == 0 ? 1 : 0;
    height += crop.padding[static_cast<size_t>(i * side + side / 2)] == 0 ? 1 : 0;
  }
  return {width, height};
}

TEST(AugmentTest, ACropIsAWindowOfThePicture) {
  const LabelledPicture picture = MakePicture(40, 30, 9, 1);
  for (int sample = 0; sample < 20; ++sample) {
    const Crop crop = Augment(picture, CropOnly(), KeyOfSample(sample));
    const Pixel corner = At(crop, 0, 0);
    for (int y = 0; y < kCrop; ++y) {
      for (int x = 0; x < kCrop; ++x) {
        EXPECT_EQ(At(crop, x, y).x, corner.x + x);
        EXPECT_EQ(At(crop, x, y).y, corner.y + y);
      }
    }
    EXPECT_THAT(crop.picture.labels.values, testing::Each(1));
    EXPECT_THAT(crop.padding, testing::Each(0));
  }
}

TEST(AugmentTest, EveryPlaceIsDrawnEquallyOften) {
  const LabelledPicture picture = MakePicture(kCrop + 2, kCrop + 1, 9, 1);
  std::map<std::pair<int, int>, int> places;
  for (int sample = 0; sample < 6000; ++sample) {
    const Pixel corner = At(Augment(picture, CropOnly(), KeyOfSample(sample)), 0, 0);
    ++places[{corner.x, corner.y}];
  }
  EXPECT_EQ(places.size(), 6u);
  for (const auto& [place, count] : places) EXPECT_NEAR(count, 1000, 130) << place.first << ' ' << place.second;
}

TEST(AugmentTest, HalfOfTheCropsAreMirrored) {
  const LabelledPicture picture = MakePicture(20, 20, 9, 1);
  AugmentOptions options = CropOnly();
  options.flip_probability = 0.5f;
  int mirrored = 0;
  for (int sample = 0; sample < 2000; ++sample) {
    const Crop crop = Augment(picture, options, KeyOfSample(sample));
    const int step = At(crop, 1, 0).x - At(crop, 0, 0).x;
    ASSERT_EQ(std::abs(step), 1);
    EXPECT_EQ(At(crop, kCrop - 1, 0).x, At(crop, 0, 0).x + (kCrop - 1) * step);
    mirrored += step < 0 ? 1 : 0;
  }
  EXPECT_NEAR(mirrored, 1000, 100);
}

TEST(AugmentTest, ASmallPictureIsCentredInBlackWithoutALabel) {
  const LabelledPicture picture = MakePicture(5, 8, 9, 1);
  const Crop crop = Augment(picture, CropOnly(), KeyOfSample(0));
  for (int y = 0; y < kCrop; ++y) {
    for (int x = 0; x < kCrop; ++x) {
      const bool inside = x >= 5 && x < 10 && y >= 4 && y < 12;  // 11 missing columns: 5 before, 6 behind
      const auto at = static_cast<size_t>(y * kCrop + x);
      EXPECT_EQ(crop.padding[at], inside ? 0 : 1);
      EXPECT_EQ(crop.picture.labels.values[at], inside ? 1 : kIgnoreLabel);
      EXPECT_EQ(At(crop, x, y).value, inside ? 9 : 0);
      EXPECT_EQ(At(crop, x, y).x, inside ? x - 5 : 0);
    }
  }
}

TEST(AugmentTest, TheOddColumnOfPaddingIsMirroredToo) {
  AugmentOptions options = CropOnly();
  options.flip_probability = 1;
  const Crop crop = Augment(MakePicture(5, 16, 9, 1), options, KeyOfSample(0));
  for (int x = 0; x < kCrop; ++x) EXPECT_EQ(crop.padding[static_cast<size_t>(x)], x >= 6 && x < 11 ? 0 : 1) << x;
  EXPECT_EQ(At(crop, 6, 0).x, 4);
}

// Scale the whole picture, pad, mirror, then look for the crop in it.
TEST(AugmentTest, OnlyTheCropsPixelsAreResampledButEqualThoseOfTheWholePicture) {
  LabelledPicture picture = MakePicture(30, 21, 9, 1);
  for (size_t i = 0; i < picture.labels.values.size(); ++i) {
    picture.labels.values[i] = static_cast<uint8_t>(i % 17);
    picture.image.pixels[3 * i] = static_cast<uint8_t>(i * i);
  }
  for (int sample = 0; sample < 40; ++sample) {
    AugmentOptions options = CropOnly();
    options.min_scale = options.max_scale = 0.5f + 0.03f * static_cast<float>(sample);
    options.flip_probability = static_cast<float>(sample % 2);
    const Crop crop = Augment(picture, options, KeyOfSample(sample));

    const int width = static_cast<int>(30 * options.min_scale);
    const int height = static_cast<int>(21 * options.min_scale);
    const Image image = ResizeBilinear(picture.image, width, height);
    const ByteMap labels = ResizeNearest(picture.labels, width, height);
    const int padded_width = std::max(width, kCrop);
    const int padded_height = std::max(height, kCrop);
    const auto is_at = [&](int left, int top) {
      for (int y = 0; y < kCrop; ++y) {
        for (int x = 0; x < kCrop; ++x) {
          const int padded_x = sample % 2 == 1 ? padded_width - 1 - left - x : left + x;
          const int from_x = padded_x - (padded_width - width) / 2;
          const int from_y = top + y - (padded_height - height) / 2;
          const bool inside = from_x >= 0 && from_x < width && from_y >= 0 && from_y < height;
          const auto from = static_cast<size_t>(from_y * width + from_x);
          const auto to = static_cast<size_t>(y * kCrop + x);
          if (crop.padding[to] != (inside ? 0 : 1)) return false;
          if (crop.picture.labels.values[to] != (inside ? labels.values[from] : kIgnoreLabel)) return false;
          for (size_t c = 0; c < 3; ++c) {
            if (crop.picture.image.pixels[3 * to + c] != (inside ? image.pixels[3 * from + c] : 0)) return false;
          }
        }
      }
      return true;
    };
    int places = 0;
    for (int top = 0; top + kCrop <= padded_height; ++top) {
      for (int left = 0; left + kCrop <= padded_width; ++left) places += is_at(left, top) ? 1 : 0;
    }
    EXPECT_GE(places, 1) << sample;
  }
}

TEST(AugmentTest, ScaleByHalvesIsBelowOneHalfOfTheTime) {
  AugmentOptions options = CropOnly(240);
  options.min_scale = 0.5f;
  options.max_scale = 2;
  options.scale_sampling = ScaleSampling::kHalves;
  const LabelledPicture picture = MakePicture(100, 50, 9, 1);
  int smaller = 0;
  int quarter = 0;
  for (int sample = 0; sample < 1000; ++sample) {
    const auto [width, height] = SizeInside(Augment(picture, options, KeyOfSample(sample)));
    ASSERT_GE(width, 50);
    ASSERT_LE(width, 200);
    ASSERT_LE(std::abs(width - 2 * height), 1);
    smaller += width < 100 ? 1 : 0;
    quarter += width < 75 ? 1 : 0;
  }
  EXPECT_NEAR(smaller, 500, 65);
  EXPECT_NEAR(quarter, 250, 55);
}

TEST(AugmentTest, UniformScaleIsBelowOneAThirdOfTheTime) {
  AugmentOptions options = CropOnly(240);
  options.min_scale = 0.5f;
  options.max_scale = 2;
  const LabelledPicture picture = MakePicture(100, 50, 9, 1);
  int smaller = 0;
  for (int sample = 0; sample < 1000; ++sample) {
    smaller += SizeInside(Augment(picture, options, KeyOfSample(sample))).first < 100 ? 1 : 0;
  }
  EXPECT_NEAR(smaller, 333, 60);
}

TEST(AugmentTest, TheKeyAloneDecides) {
  const LabelledPicture picture = MakePicture(80, 60, 9, 1);
  AugmentOptions options;
  options.crop = kCrop;
  options.jitter = {0.2f, 0.2f, 0.2f, 0.2f};
  const auto pixels = [&](const SampleKey& key) { return Augment(picture, options, key).picture.image.pixels; };
  EXPECT_EQ(pixels({1, 2, 3, 4}), pixels({1, 2, 3, 4}));
  const std::set<std::vector<uint8_t>> different = {pixels({1, 2, 3, 4}), pixels({9, 2, 3, 4}), pixels({1, 9, 3, 4}),
                                                    pixels({1, 2, 9, 4}), pixels({1, 2, 3, 9})};
  EXPECT_EQ(different.size(), 5u);
}

TEST(AugmentTest, BrightnessStaysWithinItsLargestChange) {
  LabelledPicture picture = MakePicture(20, 20, 0, 1);
  std::fill(picture.image.pixels.begin(), picture.image.pixels.end(), 100);
  AugmentOptions options = CropOnly();
  options.jitter.brightness = 0.2f;
  std::set<int> values;
  for (int sample = 0; sample < 500; ++sample) {
    values.insert(At(Augment(picture, options, KeyOfSample(sample)), 3, 3).value);
  }
  EXPECT_GE(*values.begin(), 80);
  EXPECT_LE(*values.rbegin(), 120);
  EXPECT_GT(values.size(), 35u);  // of 41
}

TEST(EpochOrderTest, EverySampleComesOnce) {
  std::vector<int> order = EpochOrder(5, 1, 2, 100);
  std::vector<int> expected(100);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_NE(order, expected);
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, expected);
  EXPECT_TRUE(EpochOrder(5, 1, 2, 0).empty());
}

TEST(EpochOrderTest, SeedMemberAndEpochEachChangeIt) {
  const std::set<std::vector<int>> orders = {EpochOrder(1, 1, 1, 50), EpochOrder(2, 1, 1, 50), EpochOrder(1, 2, 1, 50),
                                             EpochOrder(1, 1, 2, 50)};
  EXPECT_EQ(orders.size(), 4u);
}

TEST(EpochOrderTest, AllPermutationsAreEquallyLikely) {
  std::map<std::vector<int>, int> counts;
  for (int epoch = 0; epoch < 6000; ++epoch) ++counts[EpochOrder(1, 0, epoch, 3)];
  EXPECT_EQ(counts.size(), 6u);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 1000, 130);
}

}  // namespace
}  // namespace candor
