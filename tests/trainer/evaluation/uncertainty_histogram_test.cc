// SPDX-License-Identifier: Apache-2.0
#include "trainer/evaluation/uncertainty_histogram.h"

#include <cmath>

#include "gmock/gmock.h"

namespace candor {
namespace {

using testing::ElementsAre;

constexpr auto kCorrect = PixelOutcome::kCorrect;
constexpr auto kWrong = PixelOutcome::kWrong;
constexpr auto kVoid = PixelOutcome::kVoid;

UncertaintyHistogram HistogramOf(const std::vector<float>& values, const std::vector<PixelOutcome>& outcomes,
                                 float range_max) {
  std::vector<uint16_t> bins(values.size());
  BinUncertainty(values, range_max, absl::MakeSpan(bins));
  UncertaintyHistogram histogram(range_max);
  histogram.Add(values, bins, outcomes);
  return histogram;
}

TEST(BinUncertaintyTest, EndsOfTheRangeAreInTheFirstAndLastBin) {
  std::vector<uint16_t> bins(6);
  BinUncertainty(std::vector<float>{0, 1.0f / 65536, 0.5f, 1, -1e-7f, 1.1f}, 1, absl::MakeSpan(bins));
  EXPECT_THAT(bins, ElementsAre(0, 1, 32768, 65535, 0, 65535));
}

TEST(BinUncertaintyTest, RangeIsSplitEvenly) {
  std::vector<uint16_t> bins(2);
  BinUncertainty(std::vector<float>{1, 3}, 4, absl::MakeSpan(bins));
  EXPECT_THAT(bins, ElementsAre(16384, 49152));
}

TEST(UncertaintyHistogramTest, MeanAndMedianCountVoid) {
  const UncertaintyHistogram histogram = HistogramOf({0.1f, 0.2f, 0.9f}, {kCorrect, kVoid, kWrong}, 1);
  EXPECT_NEAR(histogram.Mean(), 0.4, 1e-7);
  EXPECT_NEAR(histogram.Median(), 0.2, 1.0 / 131072);
}

TEST(UncertaintyHistogramTest, ErrorBinsLeaveVoidOut) {
  const std::vector<ScoreBin> bins = HistogramOf({0, 0, 1, 1}, {kCorrect, kVoid, kWrong, kCorrect}, 1).ErrorBins();
  EXPECT_EQ(bins.front().negatives, 1);
  EXPECT_EQ(bins.front().positives, 0);
  EXPECT_EQ(bins.back().negatives, 1);
  EXPECT_EQ(bins.back().positives, 1);
}

TEST(UncertaintyHistogramTest, SharesAreOfAllPixels) {
  EXPECT_THAT(HistogramOf({0, 1, 2, 3.9f}, {kCorrect, kVoid, kWrong, kWrong}, 4).Shares(2), ElementsAre(0.5, 0.5));
}

TEST(UncertaintyHistogramTest, MergeEqualsAddingAll) {
  UncertaintyHistogram first = HistogramOf({0.1f}, {kCorrect}, 1);
  first.Merge(HistogramOf({0.2f, 0.9f}, {kVoid, kWrong}, 1));
  EXPECT_NEAR(first.Mean(), 0.4, 1e-7);
  EXPECT_NEAR(first.Median(), 0.2, 1.0 / 131072);
}

TEST(UncertaintyHistogramTest, NoPixelGivesNoFigure) {
  const UncertaintyHistogram histogram(1);
  EXPECT_TRUE(std::isnan(histogram.Mean()));
  EXPECT_TRUE(std::isnan(histogram.Median()));
  EXPECT_TRUE(std::isnan(histogram.Shares(4)[0]));
}

}  // namespace
}  // namespace candor
