// SPDX-License-Identifier: Apache-2.0
#include "core/uncertainty/statistics.h"

#include <limits>
#include <numeric>
#include <vector>

#include "gtest/gtest.h"

namespace candor {
namespace {

KindRequest Request(float threshold) { return {UncertaintyKind::kMaxProbability, false, threshold}; }

TEST(KindAccumulatorTest, GivesFiguresOfAKnownSeries) {
  KindAccumulator accumulator(Request(0.75f), 1.0f);
  std::vector<float> values;
  for (int i = 1; i <= 100; ++i) values.push_back(static_cast<float>(i) / 100);
  accumulator.AddRow(values.data(), 60);
  accumulator.AddRow(values.data() + 60, 40);
  const KindStatistics figures = accumulator.Finish();
  EXPECT_NEAR(figures.mean, 0.505, 1e-6);
  EXPECT_EQ(figures.max, 1.0f);
  EXPECT_NEAR(figures.median, 0.50, 1.0 / 1024);
  EXPECT_NEAR(figures.p90, 0.90, 1.0 / 1024);
  EXPECT_NEAR(figures.p99, 0.99, 1.0 / 1024);
  EXPECT_FLOAT_EQ(figures.share_above_threshold, 0.25f);
  EXPECT_EQ(figures.threshold, 0.75f);
  EXPECT_EQ(figures.histogram[0], 1);   // below 1 / 64: 0.01
  EXPECT_EQ(figures.histogram[32], 2);  // from 1 / 2: 0.50 and 0.51
  EXPECT_EQ(figures.histogram[63], 2);  // from 63 / 64, the end included: 0.99 and 1
  EXPECT_EQ(std::accumulate(figures.histogram.begin(), figures.histogram.end(), int64_t{0}), 100);
}

TEST(KindAccumulatorTest, MergedPartsEqualTheWhole) {
  const std::vector<float> values = {0.1f, 0.9f, 0.4f, 0.2f};
  KindAccumulator whole(Request(0.3f), 1.0f);
  KindAccumulator left(Request(0.3f), 1.0f);
  KindAccumulator right(Request(0.3f), 1.0f);
  whole.AddRow(values.data(), 4);
  left.AddRow(values.data(), 1);
  right.AddRow(values.data() + 1, 3);
  left.Merge(right);
  EXPECT_FLOAT_EQ(left.Finish().mean, whole.Finish().mean);
  EXPECT_EQ(left.Finish().max, 0.9f);
  EXPECT_EQ(left.Finish().p90, whole.Finish().p90);
  EXPECT_FLOAT_EQ(left.Finish().share_above_threshold, 0.5f);
}

// As a GPU gathers them: one value in bin 102, three in bin 921.
TEST(KindAccumulatorTest, TakesWhatWasGatheredElsewhere) {
  const std::vector<float> values = {0.1f, 0.9f, 0.9f, 0.9f};
  KindAccumulator accumulator(Request(0.3f), 1.0f);
  KindAccumulator want(Request(0.3f), 1.0f);
  EXPECT_EQ(accumulator.bins_per_unit(), KindAccumulator::kBins);
  std::vector<uint32_t> histogram(KindAccumulator::kBins);
  histogram[102] = 1;
  histogram[921] = 2;
  GatheredValues gathered;
  gathered.count = 3;
  gathered.above_threshold = 2;
  gathered.sum = 1.9;
  gathered.max = 0.9f;
  gathered.histogram = histogram;
  accumulator.AddGathered(gathered);
  accumulator.AddRow(values.data() + 3, 1);
  want.AddRow(values.data(), 4);
  EXPECT_FLOAT_EQ(accumulator.Finish().mean, want.Finish().mean);
  EXPECT_EQ(accumulator.Finish().max, 0.9f);
  EXPECT_EQ(accumulator.Finish().median, want.Finish().median);
  EXPECT_EQ(accumulator.Finish().share_above_threshold, 0.75f);
  EXPECT_EQ(accumulator.Finish().histogram, want.Finish().histogram);
}

TEST(KindAccumulatorTest, AQuantileIsNeverAboveTheMaximum) {
  const std::vector<float> zeros(10, 0.0f);
  KindAccumulator accumulator(Request(0.5f), 2.0f);
  accumulator.AddRow(zeros.data(), 10);
  EXPECT_EQ(accumulator.Finish().p99, 0);
  EXPECT_EQ(accumulator.Finish().median, 0);
}

TEST(KindAccumulatorTest, NoticesNonFiniteValues) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    KindAccumulator accumulator(Request(0.5f), 1.0f);
    accumulator.AddRow(&bad, 1);
    EXPECT_FALSE(accumulator.all_finite());
  }
}

}  // namespace
}  // namespace candor
