// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/calibration.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/trainer/evaluation/golden_figures.h"
#include "tests/trainer/evaluation/synthetic_split.h"

namespace candor {
namespace {

// Pixels of two classes by the probability of class 0, the label being the likelier class.
CalibrationFigures FiguresOf(const std::vector<float>& first_class, const std::vector<uint8_t>& truth) {
  std::vector<float> probabilities = first_class;
  std::vector<uint8_t> labels;
  for (float p : first_class) {
    probabilities.push_back(1 - p);
    labels.push_back(p >= 0.5f ? 0 : 1);
  }
  CalibrationMeter meter(2);
  meter.AddPicture(probabilities.data(), truth, labels);
  return meter.Figures();
}

TEST(CalibrationMeterTest, ConfidenceOneIsInTheLastBin) {
  const CalibrationFigures figures = FiguresOf({1, 1, 1, 0}, {0, 0, 1, 1});
  ASSERT_EQ(figures.bins.size(), 15u);
  EXPECT_EQ(figures.bins[14].pixels, 4);
  EXPECT_DOUBLE_EQ(figures.bins[14].confidence, 1);
  EXPECT_DOUBLE_EQ(figures.bins[14].accuracy, 0.75);
  EXPECT_DOUBLE_EQ(figures.ece, 0.25);
  EXPECT_DOUBLE_EQ(figures.mce, 0.25);
  EXPECT_DOUBLE_EQ(figures.rmsce, 0.25);
  EXPECT_DOUBLE_EQ(figures.adaptive_ece, 0.25);
}

TEST(CalibrationMeterTest, ConfidenceZeroIsInTheFirstBin) {
  // No softmax gives this; a meter that fails here is torchmetrics #1646.
  const std::vector<float> probabilities = {0, 0};
  CalibrationMeter meter(2);
  meter.AddPicture(probabilities.data(), std::vector<uint8_t>{0}, std::vector<uint8_t>{0});
  const CalibrationFigures figures = meter.Figures();
  EXPECT_EQ(figures.bins[0].pixels, 1);
  EXPECT_DOUBLE_EQ(figures.bins[0].confidence, 0);
  EXPECT_DOUBLE_EQ(figures.ece, 1);
}

TEST(CalibrationMeterTest, AnEmptyBinHasNoMeans) {
  const CalibrationFigures figures = FiguresOf({1}, {0});
  EXPECT_EQ(figures.bins[3].pixels, 0);
  EXPECT_TRUE(std::isnan(figures.bins[3].confidence));
  EXPECT_TRUE(std::isnan(figures.bins[3].accuracy));
}

TEST(CalibrationMeterTest, CalibratedPixelsHaveNoError) {
  // Confidence 0.75, three of four right.
  const CalibrationFigures figures = FiguresOf({0.75f, 0.75f, 0.75f, 0.75f}, {0, 0, 0, 1});
  EXPECT_NEAR(figures.ece, 0, 1e-12);
  EXPECT_NEAR(figures.classwise_ece, 0, 1e-12);
}

TEST(CalibrationMeterTest, BinsAreWeightedByTheirPixels) {
  // Three pixels at 1 with a gap of 1/3, one at 0.75 with a gap of 0.25.
  const CalibrationFigures figures = FiguresOf({1, 1, 1, 0.75f}, {0, 0, 1, 0});
  EXPECT_NEAR(figures.ece, 0.75 / 3 + 0.25 * 0.25, 1e-12);
  EXPECT_NEAR(figures.mce, 1.0 / 3, 1e-12);
  EXPECT_NEAR(figures.rmsce, std::sqrt(0.75 / 9 + 0.25 / 16), 1e-12);
}

TEST(CalibrationMeterTest, LikelihoodIsClampedAndBrierIsAtMostTwo) {
  const CalibrationFigures figures = FiguresOf({1}, {1});
  EXPECT_NEAR(figures.nll, -std::log(1e-12), 1e-9);
  EXPECT_DOUBLE_EQ(figures.brier, 2);
}

TEST(CalibrationMeterTest, ClasswiseErrorIsOfEachProbability) {
  // p = (0.8, 0.2), truth 1: both classes are off by 0.8.
  EXPECT_NEAR(FiguresOf({0.8f}, {1}).classwise_ece, 0.8, 1e-7);
}

TEST(CalibrationMeterTest, VoidIsLeftOut) {
  const CalibrationFigures figures = FiguresOf({1, 0.1f}, {0, 255});
  EXPECT_DOUBLE_EQ(figures.ece, 0);
  EXPECT_DOUBLE_EQ(figures.classwise_ece, 0);
  EXPECT_DOUBLE_EQ(figures.brier, 0);
}

TEST(CalibrationMeterTest, NoPixelGivesNoFigure) {
  const CalibrationFigures figures = FiguresOf({1}, {255});
  EXPECT_TRUE(std::isnan(figures.ece));
  EXPECT_TRUE(std::isnan(figures.nll));
  EXPECT_TRUE(figures.bins.empty());
}

TEST(CalibrationMeterTest, AgreesWithNumpyAndMerges) {
  CalibrationMeter meter(SyntheticPicture::kClasses);
  CalibrationMeter rest(SyntheticPicture::kClasses);
  int n = 0;
  for (const SyntheticPicture& picture : SyntheticSplit()) {
    (n++ == 0 ? meter : rest).AddPicture(picture.probabilities.data(), picture.truth, picture.labels);
  }
  meter.Merge(rest);
  const CalibrationFigures figures = meter.Figures();
  const nlohmann::json golden = GoldenFigures()["calibration"];
  ExpectNear(figures.ece, golden["ece"], 1e-9, "ece");
  ExpectNear(figures.mce, golden["mce"], 1e-9, "mce");
  ExpectNear(figures.rmsce, golden["rmsce"], 1e-9, "rmsce");
  ExpectNear(figures.adaptive_ece, golden["adaptive_ece"], 2e-4, "adaptive_ece");  // fine bins
  ExpectNear(figures.classwise_ece, golden["classwise_ece"], 1e-9, "classwise_ece");
  ExpectNear(figures.nll, golden["nll"], 1e-9, "nll");
  ExpectNear(figures.brier, golden["brier"], 1e-6, "brier");  // squares in float
}

}  // namespace
}  // namespace candor
