// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/accuracy_versus_uncertainty.h"

#include <cmath>

#include "gtest/gtest.h"
#include "trainer/evaluation/uncertainty_histogram.h"

namespace candor {
namespace {

constexpr auto kCorrect = PixelOutcome::kCorrect;
constexpr auto kWrong = PixelOutcome::kWrong;
constexpr auto kVoid = PixelOutcome::kVoid;

// Median, mean, then fixed at half the range.
std::vector<AccuracyVersusUncertainty> FiguresOf(const std::vector<float>& values,
                                                 const std::vector<PixelOutcome>& outcomes, int width) {
  std::vector<uint16_t> bins(values.size());
  BinUncertainty(values, 1, absl::MakeSpan(bins));
  CertaintyMeter meter(1, {0.5});
  meter.AddPicture(values, bins, outcomes, width);
  UncertaintyHistogram histogram(1);
  histogram.Add(values, bins, outcomes);
  return meter.Figures(histogram.ErrorBins());
}

TEST(CertaintyMeterTest, RatiosFollowFromFourCounts) {
  // Median 0.2: certain are 0.1 right, 0.2 wrong, 0.2 right; uncertain are 0.6 wrong and 0.9 right.
  const auto figures =
      FiguresOf({0.1f, 0.2f, 0.2f, 0.6f, 0.9f}, {kCorrect, kWrong, kCorrect, kWrong, kCorrect}, 5).front();
  EXPECT_EQ(figures.rule, "median");
  EXPECT_FLOAT_EQ(figures.threshold, 0.2f);
  EXPECT_DOUBLE_EQ(figures.accurate_if_certain, 2.0 / 3);
  EXPECT_DOUBLE_EQ(figures.uncertain_if_inaccurate, 1.0 / 2);
  EXPECT_DOUBLE_EQ(figures.pavpu, 3.0 / 5);
}

TEST(CertaintyMeterTest, VoidMovesNoThreshold) {
  const auto figures = FiguresOf({0.1f, 0.9f, 0.2f, 0.9f}, {kCorrect, kVoid, kWrong, kVoid}, 4);
  EXPECT_FLOAT_EQ(figures[0].threshold, 0.1f);  // the lower middle value
  EXPECT_FLOAT_EQ(figures[1].threshold, 0.15f);
  EXPECT_EQ(figures[1].rule, "mean");
  EXPECT_DOUBLE_EQ(figures[1].pavpu, 1);
}

TEST(CertaintyMeterTest, FixedThresholdIsAShareOfTheRange) {
  const auto figures = FiguresOf({0.4f, 0.6f, 0.7f, 0.1f}, {kCorrect, kCorrect, kWrong, kWrong}, 4)[2];
  EXPECT_EQ(figures.rule, "fixed");
  EXPECT_DOUBLE_EQ(figures.threshold, 0.5);
  EXPECT_DOUBLE_EQ(figures.accurate_if_certain, 0.5);
  EXPECT_DOUBLE_EQ(figures.uncertain_if_inaccurate, 0.5);
  EXPECT_DOUBLE_EQ(figures.pavpu, 0.5);
}

TEST(CertaintyMeterTest, WindowsAreJudgedByTheirMeans) {
  // Two windows side by side: one of 0.2 with 9 of 16 right, one of 0.6 with 8 of 16 right, which is not more than
  // half.
  std::vector<float> values;
  std::vector<PixelOutcome> outcomes;
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 8; ++x) {
      values.push_back(x < 4 ? 0.2f : 0.6f);
      outcomes.push_back(y < 2 || (x == 0 && y == 2) ? kCorrect : kWrong);
    }
  }
  const auto figures = FiguresOf(values, outcomes, 8)[2];
  EXPECT_DOUBLE_EQ(figures.patch_accurate_if_certain, 1);
  EXPECT_DOUBLE_EQ(figures.patch_uncertain_if_inaccurate, 1);
  EXPECT_DOUBLE_EQ(figures.patch_pavpu, 1);
}

TEST(CertaintyMeterTest, IncompleteAndVoidWindowsAreLeftOut) {
  const auto figures = FiguresOf(std::vector<float>(5 * 4, 0.1f), std::vector<PixelOutcome>(5 * 4, kCorrect), 5)[2];
  EXPECT_DOUBLE_EQ(figures.patch_pavpu, 1);
  std::vector<PixelOutcome> outcomes(5 * 4, kVoid);
  outcomes[4] = kCorrect;  // the fifth column
  EXPECT_TRUE(std::isnan(FiguresOf(std::vector<float>(5 * 4, 0.1f), outcomes, 5)[2].patch_pavpu));
}

TEST(CertaintyMeterTest, NoLabelledPixelGivesNoFigure) {
  const auto figures = FiguresOf({0.5f}, {kVoid}, 1);
  ASSERT_EQ(figures.size(), 3u);
  EXPECT_TRUE(std::isnan(figures[0].threshold));
  EXPECT_TRUE(std::isnan(figures[0].pavpu));
  EXPECT_TRUE(std::isnan(figures[2].accurate_if_certain));
}

}  // namespace
}  // namespace candor
