// SPDX-License-Identifier: Apache-2.0
//
// What Triton's clients and dashboards count.
#include "server/metrics/inference_statistics.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "prometheus/text_serializer.h"
#include "server/metrics/triton_metrics.h"

namespace candor {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using Times = InferenceStatistics::Times;

const InferenceStatistics::Entry kStreet{"street", 3, false};

TEST(InferenceStatisticsTest, NothingSeenIsAllZero) {
  const InferenceStatistics statistics;
  const auto counts = statistics.Of(kStreet);
  EXPECT_EQ(counts.entry.model, "street");
  EXPECT_EQ(counts.successes, 0u);
  EXPECT_THAT(statistics.All(), SizeIs(0));
}

TEST(InferenceStatisticsTest, TimesOfSuccessesAreSummedInNanoseconds) {
  InferenceStatistics statistics;
  for (int i = 0; i < 2; ++i) statistics.PictureStarted(kStreet);
  EXPECT_EQ(statistics.Of(kStreet).pending, 2);
  for (int i = 0; i < 2; ++i) statistics.PictureEnded(kStreet, absl::StatusCode::kOk, Times{10, 1, 2, 3, 4, 1});
  const auto counts = statistics.Of(kStreet);
  EXPECT_EQ(counts.pending, 0);
  EXPECT_EQ(counts.successes, 2u);
  EXPECT_EQ(counts.executions, 2u);
  EXPECT_EQ(counts.sums.total_ns, 20000000u);
  EXPECT_EQ(counts.sums.queue_ns, 2000000u);
  EXPECT_EQ(counts.sums.decode_ns, 4000000u);
  EXPECT_EQ(counts.sums.infer_ns, 6000000u);
  EXPECT_EQ(counts.sums.encode_ns, 8000000u);
  EXPECT_GT(counts.last_inference_ms, 1600000000000u) << "milliseconds since the epoch";
}

TEST(InferenceStatisticsTest, ABatchIsOneExecution) {
  InferenceStatistics statistics;
  for (int i = 0; i < 3000; ++i) {
    statistics.PictureStarted(kStreet);
    statistics.PictureEnded(kStreet, absl::StatusCode::kOk, Times{10, 1, 1, 6, 1, 3});
  }
  const auto counts = statistics.Of(kStreet);
  EXPECT_EQ(counts.successes, 3000u);
  EXPECT_EQ(counts.executions, 1000u);
  ASSERT_THAT(counts.batches, SizeIs(1));
  EXPECT_EQ(counts.batches.at(3).executions, 1000u);
  EXPECT_EQ(counts.batches.at(3).infer_ns, uint64_t{6000000000}) << "each batch ran once";
  EXPECT_EQ(counts.sums.infer_ns, uint64_t{18000000000}) << "but each of its pictures waited for it";
}

TEST(InferenceStatisticsTest, FailuresAreToldApart) {
  InferenceStatistics statistics;
  for (const absl::StatusCode code :
       {absl::StatusCode::kResourceExhausted, absl::StatusCode::kDeadlineExceeded, absl::StatusCode::kCancelled,
        absl::StatusCode::kInternal, absl::StatusCode::kInvalidArgument}) {
    statistics.PictureStarted(kStreet);
    statistics.PictureEnded(kStreet, code, Times{2, 0, 0, 0, 0, 0});
  }
  const auto counts = statistics.Of(kStreet);
  EXPECT_EQ(counts.successes, 0u);
  EXPECT_EQ(counts.failures, 5u);
  EXPECT_EQ(counts.failed_ns, 10000000u);
  EXPECT_THAT(counts.failures_by_reason, testing::ElementsAre(2, 1, 1, 1));
}

TEST(TritonMetricsTest, SpeaksTritonsNames) {
  const auto statistics = std::make_shared<InferenceStatistics>();
  statistics->PictureStarted(kStreet);
  statistics->PictureEnded(kStreet, absl::StatusCode::kOk, Times{10, 1, 2, 3, 4, 1});
  statistics->PictureStarted({"street", 3, true});
  const std::string page = prometheus::TextSerializer().Serialize(TritonMetrics(statistics).Collect());
  for (const char* line : {"nv_inference_request_success{model=\"street\",version=\"3\"} 1",
                           "nv_inference_request_failure{model=\"street\",version=\"3\",reason=\"REJECTED\"} 0",
                           "nv_inference_count{model=\"street\",version=\"3\"} 1",
                           "nv_inference_exec_count{model=\"street\",version=\"3\"} 1",
                           "nv_inference_pending_request_count{model=\"street_encoded\",version=\"3\"} 1",
                           "nv_inference_request_duration_us{model=\"street\",version=\"3\"} 10000",
                           "nv_inference_queue_duration_us{model=\"street\",version=\"3\"} 1000",
                           "nv_inference_compute_input_duration_us{model=\"street\",version=\"3\"} 2000",
                           "nv_inference_compute_infer_duration_us{model=\"street\",version=\"3\"} 3000",
                           "nv_inference_compute_output_duration_us{model=\"street\",version=\"3\"} 4000"}) {
    EXPECT_THAT(page, HasSubstr(line));
  }
}

}  // namespace
}  // namespace candor
