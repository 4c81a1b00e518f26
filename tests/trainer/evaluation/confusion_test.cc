// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/confusion.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"

namespace candor {
namespace {

using testing::ElementsAre;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(ConfusionMatrixTest, CountsByTruthAndLabelAndLeavesVoidOut) {
  ConfusionMatrix confusion(3);
  confusion.Add(std::vector<uint8_t>{0, 0, 1, 255, 2}, std::vector<uint8_t>{0, 1, 1, 1, 0});
  EXPECT_THAT(confusion.Rows(), ElementsAre(ElementsAre(1, 1, 0), ElementsAre(0, 1, 0), ElementsAre(1, 0, 0)));
  EXPECT_EQ(confusion.pixels(), 4);
  EXPECT_EQ(confusion.correct(), 2);
  EXPECT_DOUBLE_EQ(confusion.Accuracy(), 0.5);
}

TEST(ConfusionMatrixTest, IouIsIntersectionOverUnion) {
  ConfusionMatrix confusion(3);
  confusion.Add(std::vector<uint8_t>{0, 0, 1, 255, 2}, std::vector<uint8_t>{0, 1, 1, 1, 0});
  // Class 0: 1 of {2 true + 2 predicted - 1}; class 1: 1 of {1 + 2 - 1}; class 2: never hit.
  EXPECT_THAT(confusion.ClassIou(), ElementsAre(1.0 / 3, 1.0 / 2, 0));
  EXPECT_DOUBLE_EQ(confusion.MeanIou(), (1.0 / 3 + 1.0 / 2) / 3);
}

TEST(ConfusionMatrixTest, AClassWithoutUnionIsLeftOutOfTheMean) {
  ConfusionMatrix confusion(3);
  confusion.Add(std::vector<uint8_t>{0, 2}, std::vector<uint8_t>{0, 0});
  EXPECT_TRUE(std::isnan(confusion.ClassIou()[1]));
  EXPECT_DOUBLE_EQ(confusion.MeanIou(), 0.25);
}

TEST(ConfusionMatrixTest, NoPixelGivesNoFigure) {
  ConfusionMatrix confusion(2);
  confusion.Add(std::vector<uint8_t>{255}, std::vector<uint8_t>{1});
  EXPECT_EQ(confusion.pixels(), 0);
  EXPECT_TRUE(std::isnan(confusion.Accuracy()));
  EXPECT_TRUE(std::isnan(confusion.MeanIou()));
}

TEST(ConfusionMatrixTest, MergeAddsCounts) {
  ConfusionMatrix first(2);
  first.Add(std::vector<uint8_t>{0}, std::vector<uint8_t>{1});
  ConfusionMatrix second(2);
  second.Add(std::vector<uint8_t>{0, 1}, std::vector<uint8_t>{1, 1});
  first.Merge(second);
  EXPECT_THAT(first.Rows(), ElementsAre(ElementsAre(0, 2), ElementsAre(0, 1)));
}

TEST(MeanOfPresentTest, LeavesNaNOut) {
  EXPECT_DOUBLE_EQ(MeanOfPresent({1.0, kNaN, 3.0}), 2);
  EXPECT_TRUE(std::isnan(MeanOfPresent({kNaN})));
}

}  // namespace
}  // namespace candor
