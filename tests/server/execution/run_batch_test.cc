// SPDX-License-Identifier: Apache-2.0
#include "server/execution/run_batch.h"

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "tests/server/execution/job_of.h"
#include "tests/server/execution/slow_segmenter.h"
#include "tests/testing/status_matchers.h"

namespace candor {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::_;
using testing::HasSubstr;

JobResults RunBatch(const std::vector<const InferenceJob*>& jobs) {
  std::optional<JobResults> results = TakeResults(jobs, StartBatch(jobs));
  return results.has_value() ? *std::move(results) : RunOneByOne(jobs);
}

TEST(RunBatchTest, AnAnytimeJobAnswersWithTheMembersThatRanBeforeItsDeadline) {
  InferenceJob job = JobOf(std::make_shared<SlowSegmenter>(1000, milliseconds(2)));
  job.anytime = true;
  job.deadline = steady_clock::now() + milliseconds(200);
  const auto results = RunBatch({&job});
  ASSERT_THAT(results[0], IsOk());
  EXPECT_GE(results[0]->members, 2);
  EXPECT_LT(results[0]->members, 101) << "of 2 ms each, before 200 ms are over";
}

TEST(RunBatchTest, AnAnytimeJobWithTimeHasAllMembers) {
  InferenceJob job = JobOf(std::make_shared<SlowSegmenter>(5, milliseconds(0)));
  job.anytime = true;
  job.deadline = steady_clock::now() + std::chrono::hours(1);
  const auto results = RunBatch({&job});
  ASSERT_THAT(results[0], IsOk());
  EXPECT_EQ(results[0]->members, 5);
}

TEST(RunBatchTest, AnyOtherJobIsLateInstead) {
  InferenceJob job = JobOf(std::make_shared<SlowSegmenter>(1000, milliseconds(1)));
  job.deadline = steady_clock::now() + milliseconds(20);
  EXPECT_THAT(RunBatch({&job})[0], HasStatus(absl::StatusCode::kDeadlineExceeded, _));
}

TEST(RunBatchTest, ACancelledJobDoesNotStopTheRestOfItsBatch) {
  const auto slow = std::make_shared<SlowSegmenter>(3, milliseconds(0));
  InferenceJob gone = JobOf(slow);
  gone.cancelled = [] { return true; };
  const InferenceJob waits = JobOf(slow, 3);
  const auto results = RunBatch({&gone, &waits});
  ASSERT_THAT(results[1], IsOk());
  EXPECT_EQ(results[1]->width, 3);
}

TEST(RunBatchTest, ABatchNobodyWaitsForStops) {
  const auto slow = std::make_shared<SlowSegmenter>(3, milliseconds(0));
  InferenceJob gone = JobOf(slow);
  gone.cancelled = [] { return true; };
  InferenceJob late = JobOf(slow);
  late.deadline = steady_clock::now();
  const auto results = RunBatch({&gone, &late});
  EXPECT_THAT(results[0], HasStatus(absl::StatusCode::kCancelled, _));
  EXPECT_THAT(results[1], HasStatus(absl::StatusCode::kDeadlineExceeded, _));
  EXPECT_EQ(slow->pictures(), 0);
}

TEST(RunBatchTest, APictureThatTheModelFailsOnDoesNotFailTheOthers) {
  const auto slow = std::make_shared<SlowSegmenter>(1, milliseconds(0));
  const InferenceJob good = JobOf(slow, 12);
  const InferenceJob bad = JobOf(slow, 13);
  const auto results = RunBatch({&good, &bad});
  ASSERT_THAT(results[0], IsOk());
  EXPECT_EQ(results[0]->width, 12);
  EXPECT_THAT(results[1], HasStatus(absl::StatusCode::kInternal, HasSubstr("NON_FINITE_OUTPUT")));
}

}  // namespace
}  // namespace candor
