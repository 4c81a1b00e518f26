// SPDX-License-Identifier: Apache-2.0
#include "trainer/training/class_weights.h"

#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/data/memory_dataset.h"

namespace candor {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::FloatEq;
using testing::HasSubstr;
using testing::IsEmpty;

LabelledPicture WithLabels(std::vector<uint8_t> labels) {
  LabelledPicture picture = MakePicture(static_cast<int>(labels.size()), 1, 0, 0);
  picture.labels.values = std::move(labels);
  return picture;
}

TEST(ClassWeightsTest, NoneReadsNothing) {
  const MemoryDataset data(MakePictures(2));
  const auto weights = ClassWeights("none", data);
  ASSERT_THAT(weights, IsOk());
  EXPECT_THAT(*weights, IsEmpty());
  EXPECT_EQ(data.reads(), 0);
}

// Class 0: 5 pixels in pictures of 4 + 3 labelled ones; class 1: 2 in those of 4. Frequencies 5/7 and 2/4, whose median
// is their mean, 17/28.
TEST(ClassWeightsTest, MedianFrequencyCountsOnlyPicturesThatHaveTheClass) {
  const MemoryDataset data({WithLabels({0, 0, 1, 1}), WithLabels({0, 0, 0, 255, 255, 255})});
  const auto weights = ClassWeights("median_frequency", data);
  ASSERT_THAT(weights, IsOk());
  EXPECT_THAT(*weights, ElementsAre(FloatEq(17.0f / 28 / (5.0f / 7)), FloatEq(17.0f / 28 / 0.5f)));
}

TEST(ClassWeightsTest, AClassThatIsNowhereWeighsNothing) {
  const auto weights = ClassWeights("median_frequency", MemoryDataset({WithLabels({1, 1, 255})}));
  ASSERT_THAT(weights, IsOk());
  EXPECT_THAT(*weights, ElementsAre(0.0f, 1.0f));
}

TEST(ClassWeightsTest, APictureThatCannotBeReadIsTheError) {
  const MemoryDataset data(MakePictures(2), /*broken=*/1);
  EXPECT_THAT(ClassWeights("median_frequency", data), HasStatus(StatusCode::kDataLoss, HasSubstr("broken")));
}

TEST(ClassWeightsTest, NumbersAreTakenInOrder) {
  const auto weights = ClassWeights("0.5,2", MemoryDataset(MakePictures(1)));
  ASSERT_THAT(weights, IsOk());
  EXPECT_THAT(*weights, ElementsAre(0.5f, 2.0f));
}

TEST(ClassWeightsTest, AnotherNumberOfWeightsIsRefused) {
  EXPECT_THAT(ClassWeights("1,2,3", MemoryDataset(MakePictures(1))),
              HasStatus(StatusCode::kInvalidArgument, HasSubstr("2 classes, got 3")));
}

TEST(ClassWeightsTest, WhatIsNoWeightIsRefused) {
  for (const char* text : {"", "1,", "1,x", "-1,1", "nan,1", "inf,1", "1e6,1", "Median", "1;2"}) {
    EXPECT_THAT(ClassWeights(text, MemoryDataset(MakePictures(1))),
                HasStatus(StatusCode::kInvalidArgument, HasSubstr("class_weights: ")))
        << text;
  }
}

}  // namespace
}  // namespace candor
