// SPDX-License-Identifier: Apache-2.0
#include "client/bench/load_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// An answer due at `due_s` that took `ms`.
LoadSample Answer(double due_s, double ms) {
  LoadSample sample;
  sample.due_s = sample.sent_s = due_s;
  sample.done_s = due_s + ms / 1e3;
  return sample;
}

LoadSample Failure(double due_s, double ms, absl::StatusCode code) {
  LoadSample sample = Answer(due_s, ms);
  sample.code = code;
  return sample;
}

// Answers of 1, 2, ... `count` ms, slowest first, all due at 0.
std::vector<LoadSample> Ramp(int count) {
  std::vector<LoadSample> samples;
  for (int ms = count; ms >= 1; --ms) samples.push_back(Answer(0, ms));
  return samples;
}

TEST(NearestRankTest, IsTheSmallestValueWithEnoughAtOrBelow) {
  EXPECT_EQ(NearestRank({7}, 999), 7);
  EXPECT_EQ(NearestRank({1, 2, 3, 4}, 500), 2);
  EXPECT_EQ(NearestRank({1, 2, 3, 4}, 501), 3);
  EXPECT_EQ(NearestRank({1, 2, 3, 4}, 1000), 4);
}

TEST(SummarizeTest, GivesExactPercentilesOfTenThousand) {
  const LoadSummary summary = Summarize(Ramp(10'000), 1e6, 0);
  std::vector<double> values;
  for (const Percentile& percentile : summary.latency) values.push_back(percentile.ms.value_or(-1));
  EXPECT_THAT(values, ElementsAre(testing::DoubleNear(5000, 1e-6), testing::DoubleNear(9000, 1e-6),
                                  testing::DoubleNear(9500, 1e-6), testing::DoubleNear(9900, 1e-6),
                                  testing::DoubleNear(9990, 1e-6)));
  EXPECT_NEAR(summary.max_ms, 10'000, 1e-6);
  EXPECT_NEAR(summary.mean_ms, 5000.5, 1e-6);
}

TEST(SummarizeTest, LeavesOutAPercentileWithFewerThanTenAnswersAbove) {
  const LoadSummary summary = Summarize(Ramp(999), 1e6, 0);
  EXPECT_TRUE(summary.latency[2].ms.has_value());   // p95 needs 200
  EXPECT_FALSE(summary.latency[3].ms.has_value());  // p99 needs 1000
  EXPECT_EQ(summary.latency[3].needs, 1000);
  EXPECT_EQ(summary.latency[4].needs, 10'000);
  EXPECT_TRUE(Summarize(Ramp(1000), 1e6, 0).latency[3].ms.has_value());
}

TEST(SummarizeTest, CountsFromTheTimeDue) {
  LoadSample sample = Answer(1, 10);
  sample.sent_s = 3;
  sample.done_s = 3.5;
  const LoadSummary summary = Summarize({sample}, 2000, 0);
  EXPECT_DOUBLE_EQ(summary.max_ms, 2500);
  EXPECT_DOUBLE_EQ(summary.max_late_ms, 2000);
  EXPECT_EQ(summary.in_time, 0);
}

TEST(SummarizeTest, TellsThroughputFromGoodput) {
  // 8 s, 4 answers of which 3 are within 100 ms, one failure that ends the load.
  const LoadSummary summary = Summarize(
      {Answer(0, 50), Answer(1, 99), Answer(2, 101), Answer(3, 1), Failure(7.5, 500, absl::StatusCode::kAborted)}, 100,
      5);
  EXPECT_EQ(summary.requests, 5);
  EXPECT_EQ(summary.answers, 4);
  EXPECT_THAT(summary.errors, ElementsAre(Pair(absl::StatusCode::kAborted, 1)));
  EXPECT_DOUBLE_EQ(summary.elapsed_s, 8);
  EXPECT_DOUBLE_EQ(summary.throughput, 0.5);
  EXPECT_EQ(summary.in_time, 3);
  EXPECT_DOUBLE_EQ(summary.goodput, 0.375);
}

TEST(SummarizeTest, LastsAtLeastAsLongAsPlanned) {
  EXPECT_DOUBLE_EQ(Summarize({Answer(0, 1000)}, 1e6, 10).throughput, 0.1);
}

TEST(SummarizeTest, TakesServerTimesAndUncertaintyOfAnswersAlone) {
  std::vector<LoadSample> samples = {Answer(0, 1), Answer(0, 1), Answer(0, 1),
                                     Failure(0, 1, absl::StatusCode::kInternal)};
  samples[0].server_times = {1, 10, 100, 7};
  samples[1].server_times = {3, 30, 300, 7};
  samples[2].server_times = {2, 20, 200, 7};
  samples[0].mean_uncertainty = 0.25F;
  samples[1].mean_uncertainty = 0.5F;
  samples[2].mean_uncertainty = 0.75F;
  samples[3].mean_uncertainty = 100;
  const LoadSummary summary = Summarize(samples, 1e6, 0);
  EXPECT_EQ(summary.server_median.decode_ms, 2);
  EXPECT_EQ(summary.server_median.queue_ms, 20);
  EXPECT_EQ(summary.server_median.infer_ms, 200);
  EXPECT_EQ(summary.server_median.encode_ms, 7);
  EXPECT_DOUBLE_EQ(summary.mean_uncertainty, 0.5);
}

TEST(SummarizeTest, IsAllZeroWithoutAnswers) {
  const LoadSummary nothing = Summarize({}, 100, 0);
  EXPECT_EQ(nothing.requests, 0);
  EXPECT_EQ(nothing.throughput, 0);
  EXPECT_THAT(nothing.errors, IsEmpty());
  const LoadSummary failed = Summarize({Failure(0, 5, absl::StatusCode::kUnavailable)}, 100, 0);
  EXPECT_EQ(failed.max_ms, 0);
  EXPECT_EQ(failed.goodput, 0);
}

}  // namespace
}  // namespace candor
